//! The test kit does what tests rely on.

// A test that cannot go on fails by panicking; that is what it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opsflux_testkit::postgres::Cluster;

#[test]
fn databases_of_one_cluster_do_not_see_each_other() {
    let cluster = Cluster::shared().unwrap();
    let one = cluster.database().unwrap();
    let other = cluster.database().unwrap();
    one.sql("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
        .unwrap();
    assert_eq!(one.sql("SELECT n FROM t").unwrap(), "1");
    assert!(other.sql("SELECT n FROM t").is_err());
    let name = one.name().to_owned();
    drop(one);
    let left = cluster.sql(
        "postgres",
        &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'"),
    );
    assert_eq!(left.unwrap(), "");
}

#[test]
fn the_shared_cluster_keeps_what_it_promises() {
    let cluster = Cluster::shared().unwrap();
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert_eq!(
            cluster.sql("postgres", &format!("SHOW {setting}")).unwrap(),
            "on"
        );
    }
    // The default collation is a language's, so that a forgotten COLLATE "C" shows.
    assert_eq!(cluster.sql("postgres", "SELECT 'É' < 'z'").unwrap(), "t");
}

#[test]
fn a_private_cluster_has_its_own_settings_and_comes_back_after_a_crash() {
    let cluster = Cluster::private(&[("full_page_writes", "off")]).unwrap();
    assert_eq!(
        cluster.sql("postgres", "SHOW full_page_writes").unwrap(),
        "off"
    );
    cluster.crash().unwrap();
    assert!(cluster.sql("postgres", "SELECT 1").is_err());
    cluster.start().unwrap();
    assert_eq!(cluster.sql("postgres", "SELECT 1").unwrap(), "1");
}
