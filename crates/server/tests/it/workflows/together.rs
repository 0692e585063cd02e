//! Several processes on one database: each hears of what is put in force at another.

use serde_json::json;

use super::{ended, id, until, workflow};
use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_in_force_at_one_process_counts_at_the_other() {
    let key = "5e".repeat(32);
    let first = Server::on_postgres(&[("OPSFLUX_SECRET_KEY", &key)]).await;
    let url = first.database_url().expect("PostgreSQL");
    let beside = [
        ("OPSFLUX_SECRET_KEY", key.as_str()),
        ("OPSFLUX_DATABASE_URL", url.as_str()),
    ];
    let second = Server::start(&beside).await;
    let (one, other) = (first.admin().await, second.admin().await);
    for turn in 0..8 {
        let (here, there) = match turn % 2 {
            0 => (&one, &other),
            _ => (&other, &one),
        };
        // Both know what is in force by now, and only one of them sees this in the feed.
        let title = format!("Tour {turn}");
        let rule = json!({
            "name": title,
            "trigger": {"type": "record_created", "entity": "ticket"},
            "conditions": {"field": "title", "op": "eq", "value": title},
            "actions": [{"type": "comment", "params": {"body": "vu"}}],
        });
        let rule = workflow(here, &rule).await;
        let ticket = there.ticket(&title).await;
        let run = ended(there, &rule, 1).await;
        assert_eq!(run[0]["status"], "SUCCESS", "{run:?}");
        let comments = format!("/tickets/{}/comments", id(&ticket));
        let page = until(here, &comments, |page| !page["items"][0].is_null()).await;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    }
    second.stop().await;
    first.stop().await;
}
