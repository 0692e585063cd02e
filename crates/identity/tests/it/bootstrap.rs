//! The first start, and the starts after it.

use opsflux_identity::bootstrap;
use opsflux_records::Error;
use serde_json::json;

use crate::house::{ADMIN, Headers, House, PASSWORD, wrong_fields};

#[tokio::test]
async fn the_first_start_makes_an_administrator_and_later_ones_leave_him_alone() {
    for house in House::on_both().await {
        let first = bootstrap(&house.records, ADMIN, None).await.unwrap();
        let generated = first.generated_password.expect("a password to show");
        let tokens = house.sign_in(ADMIN, &generated).await;
        let caller = house.caller(&tokens.access).await;
        assert!(caller.access.is_admin() && caller.access.principal.instance_admin);
        assert!(caller.company.is_some());
        let again = bootstrap(&house.records, ADMIN, Some("another password 7"))
            .await
            .unwrap();
        assert_eq!(again.generated_password, None);
        house.sign_in(ADMIN, &generated).await;
        let users = house.list(&caller, "user", &[]).await;
        assert_eq!(users.len(), 1, "{}", house.name());
        assert_eq!(house.list(&caller, "company", &[]).await.len(), 1);
        assert_eq!(house.records.store().tenants().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_operators_password_opens_and_a_short_one_stops_the_start() {
    for house in House::on_both().await {
        let short = bootstrap(&house.records, ADMIN, Some("short"))
            .await
            .unwrap_err();
        let expected = ("admin.password".to_owned(), "password_too_short".to_owned());
        assert_eq!(wrong_fields(short), [expected]);
        let made = bootstrap(&house.records, ADMIN, Some("admin123"))
            .await
            .unwrap();
        assert_eq!(made.generated_password, None);
        house.sign_in(ADMIN, "admin123").await;
        let wrong = house.try_sign_in(ADMIN, "short", &Headers::none()).await;
        assert!(
            matches!(wrong, Err(Error::Unauthenticated)),
            "{}",
            house.name()
        );
    }
}

#[tokio::test]
async fn roles_are_kept_in_step_with_the_modules() {
    for house in House::on_both().await {
        bootstrap(&house.records, ADMIN, Some(PASSWORD))
            .await
            .unwrap();
        let admin = house.admin().await;
        let roles = house.list(&admin, "role", &[("sort", "name")]).await;
        let told: Vec<_> = roles
            .iter()
            .map(|role| {
                (
                    role["name"].as_str().unwrap(),
                    role["label"].as_str().unwrap(),
                )
            })
            .collect();
        let expected = [
            ("admin", "Administrateur"),
            ("auditor", "Auditeur"),
            ("guest", "Invité"),
            ("manager", "Responsable"),
            ("technician", "Technicien"),
            ("user", "Utilisateur"),
        ];
        assert_eq!(told, expected);
        assert!(roles.iter().all(|role| role["system"] == true));
        let technician = house.role(&admin, "technician").await;
        house
            .update(&admin, "role", technician, json!({"label": "Dépanneur"}))
            .await
            .unwrap();
        bootstrap(&house.records, ADMIN, None).await.unwrap();
        let label = &house.record(&admin, "role", technician).await["label"];
        assert_eq!(label, "Technicien", "{}", house.name());
    }
}
