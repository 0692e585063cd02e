//! What would keep a server from working, or from keeping its word, is told before it starts.

use opsflux_testkit::postgres::Cluster;
use opsflux_testkit::smtp::{Behaviour, Encryption, MailServer};

use crate::process::opsflux;

#[test]
fn a_database_that_confirms_what_it_has_not_kept_is_refused_and_the_doctor_says_why() {
    let cluster = Cluster::private(&[
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
    ]);
    let cluster = cluster.unwrap_or_else(|error| panic!("{error}"));
    let database = cluster.database().expect("a database");
    let folder = tempfile::tempdir().expect("a folder");
    for command in ["serve", "doctor"] {
        let mut asked = opsflux(&folder.path().join("data"));
        asked.args([command, "--database-url", &database.url()]);
        let output = asked.output().expect("a refusal");
        assert!(!output.status.success(), "{command}");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        for setting in [
            "fsync must be on",
            "full_page_writes must be on",
            "synchronous_commit must not be off",
        ] {
            assert!(said.contains(setting), "{command}: {said}");
        }
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(
        database.sql(tables).expect("a count"),
        "0",
        "it was written to"
    );
}

#[test]
fn the_doctor_names_the_settings_that_durability_rests_on() {
    let database = Cluster::shared().and_then(|cluster| cluster.database());
    let database = database.unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().expect("a folder");
    for (url, settings) in [
        (None, "journal_mode wal, synchronous full"),
        (
            Some(database.url()),
            "fsync, full_page_writes and synchronous_commit on",
        ),
    ] {
        let mut asked = opsflux(&folder.path().join("data"));
        asked.arg("doctor");
        if let Some(url) = url {
            asked.args(["--database-url", &url]);
        }
        let output = asked.output().expect("an answer");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(said.contains(settings), "{said}");
    }
}

#[test]
fn the_doctor_signs_in_at_the_mail_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let behaviour = Behaviour {
        auth: true,
        tls: Some(Encryption::StartTls),
        ..Behaviour::default()
    };
    let server = MailServer::start(&behaviour, folder.path()).expect("a mail server");
    let authority = server.authority.clone().expect("an authority");
    for (password, found) in [
        (
            "right",
            format!("localhost:{} answers, signed in", server.port),
        ),
        ("wrong", "log-in: ".to_owned()),
    ] {
        let mut asked = opsflux(&folder.path().join("data"));
        asked
            .arg("doctor")
            .env("OPSFLUX_MAIL__HOST", "localhost")
            .env("OPSFLUX_MAIL__PORT", server.port.to_string())
            .env("OPSFLUX_MAIL__USER", "ops")
            .env("OPSFLUX_MAIL__PASSWORD", password)
            .env("OPSFLUX_MAIL__CA_FILE", &authority);
        let output = asked.output().expect("an answer");
        let said = String::from_utf8_lossy(&output.stdout);
        let mail = said.lines().find(|line| line.contains("  mail "));
        let mail = mail.unwrap_or_else(|| panic!("{said}"));
        assert!(mail.contains(&found), "{mail}");
        assert_eq!(output.status.success(), password == "right", "{said}");
        assert!(!said.contains("wrong"), "{said}");
    }
    assert!(server.got().is_empty(), "nothing is sent");
}
