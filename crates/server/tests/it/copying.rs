//! `opsflux db copy` as somebody runs it: a company moves, and is at work in its new place.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use opsflux_testkit::postgres::{Cluster, Database};
use serde_json::Value as Json;

use crate::process::{Serving, done, opsflux};
use crate::support::{ADMIN, Client, PASSWORD};

fn database() -> Database {
    let database = Cluster::shared().and_then(|cluster| cluster.database());
    database.unwrap_or_else(|error| panic!("{error}"))
}

fn demo(data: &Path, tickets: &str) {
    let mut command = opsflux(data);
    command.args(["demo", "--tickets", tickets]);
    done(command);
}

fn copy(data: &Path, from: &str, to: &str) -> Command {
    let mut command = opsflux(data);
    command.args(["db", "copy", "--from", from, "--to", to]);
    command
}

/// What a person sees of the company who signs in to a server on this database.
fn seen(data: &Path, url: &str) -> Vec<Json> {
    let mut command = opsflux(data);
    command.args(["--database-url", url]);
    let serving = Serving::start(command);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let seen = runtime.block_on(async {
        let client = Client::at(serving.address).signed_in(ADMIN, PASSWORD).await;
        let mut seen = Vec::new();
        for path in [
            "/tickets?sort=number&limit=500&total=true",
            "/tickets?sort=-priority,title,id&limit=100&expand=assigned_group",
            "/tickets?assigned_group.name[contains]=r&limit=50&sort=id",
            "/assets?sort=name,id&limit=500",
            "/users?sort=full_name,id&limit=500&fields=id,full_name,email,manager,memberships",
            "/departments?sort=name",
        ] {
            let answer = client.get(path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let mut page = answer.json();
            // Encrypted, never the same twice.
            page["next_cursor"].take();
            seen.push(page);
        }
        let first = seen[0]["items"][0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        for path in [
            format!("/tickets/{first}"),
            format!("/tickets/{first}/comments?sort=created_at"),
            format!("/tickets/{first}/history"),
        ] {
            seen.push(client.get(&path).await.json());
        }
        seen
    });
    serving.stop(data);
    seen
}

/// Whole companies are too long to print.
fn same(seen: &[Json], before: &[Json]) {
    assert_eq!(seen.len(), before.len());
    for (place, (seen, before)) in seen.iter().zip(before).enumerate() {
        assert!(
            seen == before,
            "what was asked at place {place} is not the same"
        );
    }
}

#[test]
fn a_company_moves_to_postgresql_and_back_and_sees_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    demo(&data, "300");
    let file = format!("sqlite:{}", data.join("opsflux.db").display());
    let before = seen(&data, &file);
    assert!(before[0]["total"].as_i64() >= Some(300));
    let database = database();
    let said = done(copy(&data, &file, &database.url()));
    assert!(said.contains("Copied and proved equal"), "{said}");
    same(&seen(&data, &database.url()), &before);
    let back = format!("sqlite:{}", data.join("back.db").display());
    done(copy(&data, &database.url(), &back));
    same(&seen(&data, &back), &before);
    let mut command = opsflux(&data);
    command.args(["--database-url", &back, "audit", "verify"]);
    let said = done(command);
    assert!(said.contains("entries, whole"), "{said}");
    // Somebody has signed in since: what differs is named.
    let mut command = opsflux(&data);
    command.args(["db", "compare", "--from", &file, "--to", &back]);
    let two_files = command.output().expect("an answer");
    assert!(!two_files.status.success());
    let mut command = opsflux(&data);
    command.args(["db", "compare", "--from", &file, "--to", &database.url()]);
    let compared = command.output().expect("an answer");
    let said = String::from_utf8_lossy(&compared.stdout);
    assert!(!compared.status.success(), "{said}");
    assert!(said.contains("DIFFERS  r_session"), "{said}");
    assert!(!said.contains("r_ticket"), "{said}");
}

#[test]
fn a_copy_that_was_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    demo(&data, "2000");
    let file = format!("sqlite:{}", data.join("opsflux.db").display());
    let database = database();
    let elsewhere = folder.path().join("elsewhere");
    let back = format!("sqlite:{}", elsewhere.join("opsflux.db").display());
    for (from, to) in [(file, database.url()), (database.url(), back)] {
        let mut killed = copy(&data, &from, &to)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a copy");
        let told = BufReader::new(killed.stderr.take().expect("its progress"));
        // A line a table: the large ones come after this one.
        let mut lines = told.lines().map(|line| line.expect("a line"));
        let line = lines.find(|line| line.contains("copying r_comment"));
        assert!(line.is_some(), "it never came to the comments");
        killed.kill().expect("killed");
        let ended = killed.wait().expect("an end");
        assert!(!ended.success(), "it was over before it was killed");
        let mut command = opsflux(&elsewhere);
        command.args(["serve", "--database-url", &to, "--listen", "127.0.0.1:0"]);
        let refused = command.output().expect("a refusal");
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(why.contains("broken off"), "{why}");
        let said = done(copy(&data, &from, &to));
        assert!(said.contains("went on where it was"), "{said}");
        assert!(said.contains("Copied and proved equal"), "{said}");
    }
}

#[test]
fn nothing_is_copied_beside_a_running_server_and_the_process_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let elsewhere = folder.path().join("elsewhere");
    let serving = Serving::start(opsflux(&data));
    let file = format!("sqlite:{}", data.join("opsflux.db").display());
    let database = database();
    // Whatever folder the command itself was given.
    for own in [&data, &elsewhere] {
        let refused = copy(own, &file, &database.url()).output();
        let refused = refused.expect("a refusal");
        assert!(!refused.status.success());
        let why = String::from_utf8_lossy(&refused.stderr);
        let pid = std::fs::read_to_string(data.join("opsflux.lock")).expect("its lock");
        let named = format!("in use by process {}", pid.trim());
        assert!(why.contains(&named), "{why}");
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(database.sql(tables).expect("a count"), "0");
    serving.stop(&data);
}
