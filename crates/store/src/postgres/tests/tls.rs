//! Encryption as the address asks for it.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use opsflux_testkit::postgres::Cluster;

use crate::error::StoreError;
use crate::postgres::Postgres;

/// A cluster that listens on loopback with a certificate for `localhost`, and its address.
fn encrypted(folder: &Path) -> (Cluster, String) {
    // Free now; the server takes it in a moment.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let port = port.to_string();
    let cluster = Cluster::private(&[("listen_addresses", "127.0.0.1"), ("port", &port)]).unwrap();
    certificate(folder);
    for (name, file) in [("server.crt", "cert.pem"), ("server.key", "key.pem")] {
        cluster
            .put_file(name, &std::fs::read(folder.join(file)).unwrap())
            .unwrap();
    }
    cluster
        .sql("postgres", "ALTER SYSTEM SET ssl TO on")
        .unwrap();
    cluster.crash().unwrap();
    cluster.start().unwrap();
    (
        cluster,
        format!("postgres://opsflux@localhost:{port}/postgres?hostaddr=127.0.0.1"),
    )
}

fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .output()
        .expect("openssl is needed: install the Debian package openssl");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

/// Whether the session of `address` is encrypted.
async fn is_encrypted(address: &str) -> Result<bool, StoreError> {
    let postgres = Postgres::open(address, 1).await?;
    let asked = super::statement(
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        Vec::new(),
    );
    let mut encrypted = None;
    postgres
        .read(&asked, std::time::Duration::from_secs(5), |row| {
            encrypted = row.boolean(0)?;
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(encrypted.unwrap())
}

#[tokio::test]
async fn each_sslmode_encrypts_and_checks_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (_cluster, address) = encrypted(folder.path());
    let root = folder.path().join("cert.pem");
    let root = root.display();
    for (parameters, expected) in [
        ("", true),
        ("&sslmode=disable", false),
        ("&sslmode=prefer", true),
        ("&sslmode=require", true),
        (&format!("&sslmode=require&sslrootcert={root}"), true),
        (&format!("&sslmode=verify-ca&sslrootcert={root}"), true),
        (&format!("&sslmode=verify-full&sslrootcert={root}"), true),
    ] {
        let found = is_encrypted(&format!("{address}{parameters}")).await;
        assert_eq!(found.unwrap(), expected, "{parameters}");
    }
    // Nobody this machine trusts has signed it.
    for parameters in ["&sslmode=verify-ca", "&sslmode=verify-full"] {
        let refused = is_encrypted(&format!("{address}{parameters}")).await;
        assert!(
            matches!(refused, Err(StoreError::Setup(_))),
            "{parameters}: {refused:?}"
        );
    }
    // Signed, but for another name.
    let other = address.replace("@localhost", "@127.0.0.1");
    let by_name = is_encrypted(&format!("{other}&sslmode=verify-full&sslrootcert={root}")).await;
    assert!(matches!(by_name, Err(StoreError::Setup(_))), "{by_name:?}");
    let any_name = is_encrypted(&format!("{other}&sslmode=verify-ca&sslrootcert={root}")).await;
    assert!(any_name.unwrap());
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_where_it_is_required() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let port = port.to_string();
    let _cluster = Cluster::private(&[("listen_addresses", "127.0.0.1"), ("port", &port)]).unwrap();
    let address = format!("postgres://opsflux@127.0.0.1:{port}/postgres");
    assert!(!is_encrypted(&address).await.unwrap());
    let refused = is_encrypted(&format!("{address}?sslmode=require")).await;
    assert!(matches!(refused, Err(StoreError::Setup(_))), "{refused:?}");
}
