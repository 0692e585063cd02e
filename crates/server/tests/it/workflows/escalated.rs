//! What happens to a question nobody answers, who answers for whom, and answering from a mail.

use http::StatusCode;
use opsflux_testkit::smtp::{Behaviour, MailServer};
use serde_json::{Value as Json, json};

use super::{ended, execution, id, until, workflow};
use crate::support::{Client, Server, on_both};

async fn asking(admin: &Client, params: Json) -> Json {
    let rule = json!({
        "trigger": {"type": "record_created", "entity": "ticket"},
        "actions": [
            {"type": "request_approval", "id": "ask", "params": params},
            {"type": "comment", "params": {"body": "{{ steps.ask.decision }}"}},
        ],
    });
    workflow(admin, &rule).await
}

async fn me(client: &Client) -> Json {
    client.get("/auth/me").await.json()["id"].clone()
}

async fn asked(client: &Client) -> Json {
    let path = "/approvals?status=PENDING";
    let page = until(client, path, |page| !page["items"][0].is_null()).await;
    page["items"][0].clone()
}

async fn says(client: &Client, question: &Json, what: &str) -> StatusCode {
    let path = format!("/approvals/{}/{what}", id(question));
    client.post(&path, &json!({"comment": "vu"})).await.status
}

async fn votes(admin: &Client, question: &Json) -> Vec<Json> {
    let path = format!("/approvals/{}/votes", id(question));
    let page = admin.get(&path).await.json();
    page["items"].as_array().expect("votes").clone()
}

/// Lea, whose manager is Max.
async fn below(server: &Server) -> (Client, Client, Client) {
    let admin = server.admin().await;
    let lea = server.person("lea", "manager").await;
    let max = server.person("max", "manager").await;
    let path = format!("/users/{}", me(&lea).await.as_str().expect("an id"));
    let set = json!({"manager": me(&max).await});
    assert_eq!(admin.patch(&path, &set).await.status, StatusCode::OK);
    (admin, lea, max)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_in_time_has_his_manager_asked() {
    on_both(async |server| {
        let (admin, lea, max) = below(server).await;
        let params = json!({
            "approvers": ["lea@example.org"], "escalate_in": "400ms", "title": "Payer ?",
        });
        let rule = asking(&admin, params).await;
        admin.ticket("Facture").await;
        let question = asked(&lea).await;
        assert_eq!(
            (&question["stage"], &question["stages"]),
            (&json!(1), &json!(2))
        );
        // Not before: he knows nothing of it.
        assert_eq!(
            says(&max, &question, "approve").await,
            StatusCode::NOT_FOUND
        );
        let his = asked(&max).await;
        assert_eq!(his["id"], question["id"]);
        assert_eq!(his["escalated_to"], json!([me(&max).await]));
        let told = until(&max, "/notifications", |page| !page["items"][0].is_null()).await;
        assert_eq!(told["items"][0]["action"]["approval"], question["id"]);
        assert_eq!(told["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(says(&max, &his, "approve").await, StatusCode::OK);
        let runs = ended(&admin, &rule, 1).await;
        let run = execution(&admin, &rule, &runs[0]).await;
        assert_eq!(run["status"], "SUCCESS", "{run}");
        let escalated = &run["steps"][1];
        assert_eq!(escalated["output"]["escalated_to"], json!([me(&max).await]));
        let audit = format!("/audit-entries?action=approve&record={}", id(&question));
        let audit = admin.get(&audit).await.json();
        assert_eq!(audit["items"][0]["reason"], "vu", "{audit}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_escalated_to_whom_the_rule_names_but_never_to_the_requester() {
    on_both(async |server| {
        let (admin, lea, max) = below(server).await;
        let params = json!({
            "approvers": ["lea@example.org"], "escalate_in": "50ms", "mode": "all",
            "escalate_to": [{"role": "manager"}, "admin@opsflux.local"],
        });
        let rule = asking(&admin, params).await;
        admin.ticket("Achat").await;
        let his = asked(&max).await;
        assert_eq!(
            his["escalated_to"],
            json!([me(&max).await]),
            "not the requester"
        );
        assert_eq!(says(&admin, &his, "approve").await, StatusCode::NOT_FOUND);
        assert_eq!(says(&max, &his, "reject").await, StatusCode::OK);
        assert_eq!(
            says(&lea, &his, "approve").await,
            StatusCode::CONFLICT,
            "closed"
        );
        ended(&admin, &rule, 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_have_not_answered_are_reminded_and_the_others_are_not() {
    on_both(async |server| {
        let (admin, lea, max) = below(server).await;
        let params = json!({
            "approvers": ["lea@example.org", "max@example.org"], "mode": "all",
            "remind_every": "1s",
        });
        asking(&admin, params).await;
        admin.ticket("Contrat").await;
        let question = asked(&lea).await;
        assert_eq!(says(&lea, &question, "approve").await, StatusCode::OK);
        let count = |page: &Json| page["items"].as_array().map_or(0, Vec::len);
        until(&max, "/notifications", |page| count(page) >= 3).await;
        let hers = lea.get("/notifications").await.json();
        assert_eq!(count(&hers), 1, "she has answered: {hers}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deputy_decides_for_whom_he_stands_in_while_he_does() {
    on_both(async |server| {
        let (admin, lea, max) = below(server).await;
        let eve = server.person("eve", "manager").await;
        let named = |deputy: &Json, ends: &str| {
            json!({"deputy": deputy, "starts_at": "2020-01-01T00:00:00Z", "ends_at": ends})
        };
        let (his, hers) = (me(&max).await, me(&eve).await);
        // Over, backwards, oneself, in another's name.
        let over = lea.post("/delegations", &named(&hers, "2020-02-01T00:00:00Z")).await;
        assert_eq!(over.status, StatusCode::CREATED, "{}", over.text());
        let wrong = lea.post("/delegations", &named(&his, "2019-01-01T00:00:00Z")).await;
        assert_eq!(wrong.json()["errors"][0]["code"], "ends_before");
        let mine = me(&lea).await;
        let wrong = lea.post("/delegations", &named(&mine, "2099-01-01T00:00:00Z")).await;
        assert_eq!(wrong.json()["errors"][0]["code"], "same_person");
        let rule = asking(&admin, json!({"approvers": ["lea@example.org"]})).await;
        admin.ticket("Congés").await;
        let question = asked(&lea).await;
        assert_eq!(says(&max, &question, "approve").await, StatusCode::NOT_FOUND);
        // Named while the question stands: it is in his list at once.
        let named = lea.post("/delegations", &named(&his, "2099-01-01T00:00:00Z")).await;
        assert_eq!(named.status, StatusCode::CREATED, "{}", named.text());
        assert_eq!(asked(&max).await["id"], question["id"]);
        assert_eq!(says(&eve, &question, "approve").await, StatusCode::NOT_FOUND);
        assert_eq!(says(&max, &question, "approve").await, StatusCode::OK);
        assert_eq!(says(&lea, &question, "approve").await, StatusCode::CONFLICT, "once");
        ended(&admin, &rule, 1).await;
        let said = votes(&admin, &question).await;
        assert_eq!((&said[0]["user"], &said[0]["voice"]), (&his, &mine));
        // From then on he is asked with her; when it ends he is asked no more.
        admin.ticket("Encore").await;
        let question = asked(&max).await;
        let gone = format!("/delegations/{}", id(&named.json()));
        assert_eq!(lea.delete(&gone).await.status, StatusCode::NO_CONTENT);
        let nothing = |page: &Json| page["items"] == json!([]);
        until(&max, "/approvals?status=PENDING", nothing).await;
        assert_eq!(says(&max, &question, "approve").await, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_lets_its_reader_decide_once_and_opening_it_decides_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let behaviour = Behaviour::default();
    let mails = MailServer::start(&behaviour, folder.path()).expect("a mail server");
    let port = mails.port.to_string();
    let settings = [
        ("OPSFLUX_MAIL__HOST", "127.0.0.1"),
        ("OPSFLUX_MAIL__PORT", port.as_str()),
        ("OPSFLUX_MAIL__TLS", "none"),
        ("OPSFLUX_MAIL__FROM", "ops@example.org"),
        ("OPSFLUX_HTTP__PUBLIC_URL", "https://ops.example.org"),
    ];
    let sqlite = Server::start(&settings).await;
    decided_by_mail(&sqlite, &mails, 1).await;
    sqlite.stop().await;
    let postgres = Server::on_postgres(&settings).await;
    decided_by_mail(&postgres, &mails, 2).await;
    postgres.stop().await;
}

async fn decided_by_mail(server: &Server, mails: &MailServer, count: usize) {
    let (admin, _, _) = below(server).await;
    let params = json!({
        "approvers": ["lea@example.org"], "by_mail": true, "title": "Payer <b>tout</b> ?",
    });
    let rule = asking(&admin, params).await;
    admin.ticket("Facture").await;
    let got = tokio::task::block_in_place(|| mails.got_at_least(count));
    let mail = got.last().expect("a mail");
    let flat = mail.replace("=\r\n", "").replace("=\n", "");
    let (_, rest) = flat
        .split_once("https://ops.example.org/decide/")
        .expect("a link");
    let token: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    let path = format!("/decisions/{token}");
    let anybody = server.anybody();
    // Whatever looks at it first, as often as it likes, has decided nothing.
    for _ in 0..3 {
        let shown = anybody.get(&path).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text());
        let shown = shown.json();
        assert_eq!(shown["open"], true, "{shown}");
        assert_eq!(
            (&shown["title"], &shown["subject"]),
            (&json!("Payer <b>tout</b> ?"), &json!("Facture"))
        );
    }
    // Nobody who looks at what was sent can decide with it.
    let sent = admin.get("/deliveries?channel=mail").await.text();
    assert!(!sent.contains(&token), "{sent}");
    let wrong = anybody.post(&path, &json!({"decision": "maybe"})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let forged = format!("/decisions/{}0", &token[..token.len() - 1]);
    let forged = if token.ends_with('0') {
        path.replace(&token, &format!("{}1", &token[..token.len() - 1]))
    } else {
        forged
    };
    let refused = anybody.post(&forged, &json!({"decision": "approve"})).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let said = json!({"decision": "approve", "comment": "depuis le train"});
    let done = anybody.post(&path, &said).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    assert_eq!(done.json()["open"], false);
    let again = anybody.post(&path, &json!({"decision": "reject"})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let runs = ended(&admin, &rule, 1).await;
    assert_eq!(runs[0]["status"], "SUCCESS");
    let question = admin.get("/approvals").await.json()["items"][0].clone();
    let said = votes(&admin, &question).await;
    assert_eq!(
        (&said[0]["via"], &said[0]["comment"]),
        (&json!("mail"), &json!("depuis le train"))
    );
}
