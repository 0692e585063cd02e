//! Deleting accounts and memberships, and taking it back.

use opsflux_records::Error;
use serde_json::json;

use crate::accounts::refused;
use crate::house::{Headers, House, PASSWORD};

#[tokio::test]
async fn a_deleted_account_gives_its_names_back_and_a_restored_one_takes_them_again() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        let awa = house
            .person(&admin, "Awa Ndong", "awa@acme.example", "user")
            .await;
        let tokens = house.sign_in("awa@acme.example", PASSWORD).await;
        house.delete(&admin, "user", awa).await.unwrap();
        house
            .until(async || house.who(&tokens.access).await.is_none().then_some(()))
            .await;
        let gone = house
            .try_sign_in("awa@acme.example", PASSWORD, &Headers::none())
            .await;
        assert!(matches!(gone, Err(Error::Unauthenticated)));
        let second = house
            .person(&admin, "Awa Ndong", "awa@acme.example", "user")
            .await;
        let record = house.record(&admin, "user", second).await;
        assert_eq!(record["username"], "@awa.ndong.opsflux", "{}", house.name());
        let (users, options) = (house.entity("user"), Default::default());
        let back = house
            .records
            .restore(&admin, users, &awa.to_string(), &options)
            .await;
        assert!(refused(back).starts_with("unique"));
        house.delete(&admin, "user", second).await.unwrap();
        house
            .records
            .restore(&admin, users, &awa.to_string(), &options)
            .await
            .unwrap();
        house.sign_in("awa@acme.example", PASSWORD).await;
    }
}

#[tokio::test]
async fn nobody_deletes_himself() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        house
            .person(&admin, "Second Admin", "second@acme.example", "admin")
            .await;
        let deleted = house.delete(&admin, "user", admin.user()).await;
        assert_eq!(refused(deleted), "base.own_account", "{}", house.name());
    }
}

#[tokio::test]
async fn the_last_administrator_keeps_his_membership() {
    for house in House::furnished().await {
        let admin = house.admin().await;
        let me = admin.user();
        let last = "base.last_administrator";
        let mine = house.membership(&admin, me).await;
        let deleted = house.delete(&admin, "membership", mine).await;
        assert_eq!(refused(deleted), last);
        let emptied = house
            .update(&admin, "user", me, json!({"memberships": []}))
            .await;
        assert_eq!(refused(emptied), last, "{}", house.name());
        house
            .person(&admin, "Second Admin", "second@acme.example", "admin")
            .await;
        house.delete(&admin, "membership", mine).await.unwrap();
    }
}
