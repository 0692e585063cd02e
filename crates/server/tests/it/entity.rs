//! `docs/how-to/add-an-entity.md`, done: the files are read from the page.

use std::path::{Path, PathBuf};

use http::{Method, StatusCode};
use opsflux_server::run::{Running, start};
use opsflux_testkit::postgres::Cluster;
use serde_json::{Value as Json, json};

use crate::process::{done, opsflux};
use crate::support::{ADMIN, Client, PASSWORD, config};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of the page in their order: the path before a block, when there is one, and its text.
fn blocks() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(root().join("docs/how-to/add-an-entity.md"));
    let page = page.expect("the page");
    let mut parts = page.split("```");
    let mut blocks = Vec::new();
    while let (Some(before), Some(block)) = (parts.next(), parts.next()) {
        let (_, text) = block.split_once('\n').expect("a block");
        let last = before.trim_end().lines().last().unwrap_or_default();
        let path = last.split('`').nth(1).unwrap_or_default();
        blocks.push((path.to_owned(), text.to_owned()));
    }
    blocks
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn merge(into: &mut Json, from: Json) {
    match (into, from) {
        (Json::Object(into), Json::Object(from)) => {
            for (name, from) in from {
                merge(into.entry(name).or_insert(Json::Null), from);
            }
        }
        (into, from) => *into = from,
    }
}

/// Does to a copy of the modules what steps 1 and 2 of the page say.
pub fn follow_the_page(folder: &Path) {
    copy(&root().join("modules"), &folder.join("modules"));
    let (mut files, mut menu) = (0, false);
    for (path, text) in blocks() {
        let file = folder.join(&path);
        if path.ends_with("vehicle.toml") {
            std::fs::write(file, text).expect("the declaration");
            files += 1;
        } else if path.ends_with(".json") {
            let known = std::fs::read_to_string(&file).expect("words");
            let mut words: Json = serde_json::from_str(&known).expect("JSON");
            merge(&mut words, serde_json::from_str(&text).expect("JSON"));
            std::fs::write(file, words.to_string()).expect("the words");
            files += 1;
        } else if path.ends_with("module.toml") {
            let known = std::fs::read_to_string(&file).expect("the module");
            std::fs::write(file, format!("{known}\n{text}")).expect("the module");
            menu = true;
        }
    }
    assert_eq!((files, menu), (5, true), "the page names other files");
}

/// Step 3, as it stands on the page.
pub fn check(folder: &Path) -> String {
    let command = blocks().into_iter().map(|(_, text)| text);
    let command = command.map(|text| text.trim().to_owned());
    let command = command
        .into_iter()
        .find(|text| text.starts_with("opsflux module check"));
    let command = command.expect("the page checks");
    let mut checking = opsflux(&folder.join("data"));
    checking
        .current_dir(folder)
        .args(command.split(' ').skip(1));
    done(checking)
}

#[tokio::test]
async fn one_file_and_its_words_are_an_entity_on_sqlite() {
    everything_is_there(&[]).await;
}

#[tokio::test]
async fn one_file_and_its_words_are_an_entity_on_postgres() {
    let database = Cluster::shared().and_then(|cluster| cluster.database());
    let database = database.unwrap_or_else(|error| panic!("{error}"));
    everything_is_there(&[("OPSFLUX_DATABASE_URL", &database.url())]).await;
    let columns = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'bought_on'";
    let columns = database.sql(columns).expect("an answer");
    assert_ne!(columns.trim(), "0", "there is no table");
}

async fn everything_is_there(settings: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a folder");
    // A server that has run before, with what people made: the table joins a living database.
    let running = start(config(&folder, settings)).await.expect("a server");
    let before = admin(&running).await.ticket("Made before").await;
    assert!(running.stop().await);

    follow_the_page(folder.path());
    let said = check(folder.path());
    assert!(said.contains("schema.lock written"), "{said}");
    assert!(said.contains("0 errors, 0 warnings"), "{said}");

    let modules = folder.path().join("modules").display().to_string();
    let mut settings = settings.to_vec();
    settings.push(("OPSFLUX_MODULES", &modules));
    let running = start(config(&folder, &settings)).await.expect("a server");
    let client = admin(&running).await;
    let number = before["number"].as_str().expect("a number");
    let kept = client.get(&format!("/tickets/{number}")).await;
    assert_eq!(kept.status, StatusCode::OK);

    let site = records_are_kept(&client).await;
    lists_filter_and_sort(&client, &site).await;
    words_are_found(&client).await;
    the_document_speaks_of_it(&client).await;
    it_can_be_drawn(&client).await;
    assert!(running.stop().await);
    a_field_joins(&folder, &settings).await;
}

/// “Adding a field is one line and its words”: what is there gets its default while people work.
async fn a_field_joins(folder: &tempfile::TempDir, settings: &[(&str, &str)]) {
    let assets = folder.path().join("modules/assets");
    let declaration = assets.join("entities/vehicle.toml");
    let known = std::fs::read_to_string(&declaration).expect("the declaration");
    let line = "seats = { type = \"integer\", required = true, default = 5 }\nsite =";
    std::fs::write(&declaration, known.replace("site =", line)).expect("one line");
    for language in ["fr", "en", "es", "pt"] {
        let file = assets.join(format!("locales/{language}.json"));
        let known = std::fs::read_to_string(&file).expect("words");
        let mut words: Json = serde_json::from_str(&known).expect("JSON");
        words["entities"]["vehicle"]["fields"]["seats"] = "Places".into();
        std::fs::write(file, words.to_string()).expect("the words");
    }
    check(folder.path());
    let running = start(config(folder, settings)).await.expect("a server");
    let client = admin(&running).await;
    for _ in 0..100 {
        let ready = client.get("//ready").await;
        assert_eq!(ready.status, StatusCode::OK, "it answers meanwhile");
        if ready.json()["migration"] == "done" {
            break;
        }
        // What is filled is not told by an event.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(client.get("//ready").await.json()["migration"], "done");
    let first = client.get("/vehicles/VEH-0001").await.json();
    assert_eq!(first["seats"], 5, "{first}");
    assert!(running.stop().await);
}

async fn admin(running: &Running) -> Client {
    Client::at(running.address).signed_in(ADMIN, PASSWORD).await
}

async fn records_are_kept(client: &Client) -> String {
    let site = json!({"name": "Port-Gentil", "country": "Gabon"});
    let site = client.post("/sites", &site).await;
    assert_eq!(site.status, StatusCode::CREATED, "{}", site.text());
    let site = site.json()["id"].as_str().expect("an id").to_owned();
    for (plate, fuel) in [("AB-123-CD", "electric"), ("EF-456-GH", "diesel")] {
        let vehicle = json!({"plate": plate, "fuel": fuel, "site": site});
        let made = client.post("/vehicles", &vehicle).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    }
    let first = client.get("/vehicles/VEH-0001").await;
    assert_eq!(first.json()["plate"], "AB-123-CD");
    let same = client
        .post("/vehicles", &json!({"plate": "ab-123-cd"}))
        .await;
    assert_eq!(same.status, StatusCode::CONFLICT, "{}", same.text());
    let wrong = client.post("/vehicles", &json!({"fuel": "steam"})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    site
}

fn plates(page: &Json) -> Vec<&str> {
    let items = page["items"].as_array().expect("items").iter();
    items.filter_map(|item| item["plate"].as_str()).collect()
}

async fn lists_filter_and_sort(client: &Client, site: &str) {
    let electric = client.get("/vehicles?fuel=electric").await.json();
    assert_eq!(plates(&electric), ["AB-123-CD"]);
    let sorted = client.get("/vehicles?sort=-plate").await.json();
    assert_eq!(plates(&sorted), ["EF-456-GH", "AB-123-CD"]);
    let there = client.get(&format!("/sites/{site}/vehicles")).await.json();
    assert_eq!(plates(&there).len(), 2, "{there}");
    let through = client.get("/vehicles?site.name=Port-Gentil").await.json();
    assert_eq!(plates(&through).len(), 2, "{through}");
}

async fn words_are_found(client: &Client) {
    // The index follows the feed; there is no event a client could wait for.
    for _ in 0..100 {
        let everywhere = client.get("/search?q=EF-456-GH").await.json();
        let listed = client.get("/vehicles?q=456").await.json();
        let hits = everywhere["items"].as_array().expect("items");
        let hit = hits.iter().find(|hit| hit["entity"] == "vehicle");
        if let (Some(hit), ["EF-456-GH"]) = (hit, plates(&listed).as_slice()) {
            assert_eq!(hit["number"], "VEH-0002");
            assert_eq!(hit["label"], "Vehicle");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("it was never found");
}

async fn the_document_speaks_of_it(client: &Client) {
    let document = client.get("/openapi.json").await.json();
    let path = &document["paths"]["/vehicles"];
    assert_eq!(path["get"]["operationId"], "vehicle_list");
    assert_eq!(path["post"]["operationId"], "vehicle_create");
    let schema = &document["components"]["schemas"]["Vehicle"]["properties"];
    assert_eq!(schema["plate"]["maxLength"], 20);
    assert!(schema["fuel"].to_string().contains("electric"));
}

async fn it_can_be_drawn(client: &Client) {
    for (language, one, plate, electric) in [
        ("fr", "Véhicule", "Immatriculation", "Électrique"),
        ("en", "Vehicle", "Number plate", "Electric"),
        ("es", "Vehículo", "Matrícula", "Eléctrico"),
        ("pt", "Veículo", "Matrícula", "Elétrico"),
    ] {
        let client = client.in_language(language);
        let meta = client.get("/meta/entities/vehicle").await.json();
        assert_eq!(meta["label"], one);
        let field = |name: &str| {
            let fields = meta["fields"].as_array().expect("fields").iter();
            fields.clone().find(|field| field["name"] == name).cloned()
        };
        assert_eq!(field("plate").expect("the plate")["label"], plate);
        let fuels = field("fuel").expect("the fuel")["options"].clone();
        assert_eq!(
            fuels[2],
            json!({"value": "electric", "label": electric, "color": fuels[2]["color"]})
        );
        assert_eq!(meta["list"]["columns"][1], "plate");
        assert_eq!(meta["list"]["sort"], json!(["plate"]));
        assert_eq!(meta["form"]["quick"], json!(["plate", "fuel", "site"]));
        assert_eq!(meta["form"]["sections"][0]["fields"][3], "bought_on");
        assert_eq!(meta["can"]["create"], true);
        let app = client.get("/meta/app").await.json();
        let menu = app["menu"].as_array().expect("a menu").iter();
        let items = menu.flat_map(|part| part["items"].as_array().expect("items"));
        let item = items.into_iter().find(|item| item["entity"] == "vehicle");
        let item = item.expect("its place in the sidebar");
        assert_eq!(item["collection"], "vehicles");
        assert_eq!(item["icon"], "truck");
        let site = client.get("/meta/entities/site").await.json();
        let related = site["related"].as_array().expect("related").iter();
        assert!(
            related.clone().any(|end| end["name"] == "vehicles"),
            "{site}"
        );
    }
    let bad = client.send(Method::PUT, "/vehicles", &[], "").await;
    assert_eq!(bad.status, StatusCode::METHOD_NOT_ALLOWED);
}
