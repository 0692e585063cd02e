//! What people write, and what they are told when it is wrong.

use super::*;

fn environment(variables: &[(&str, &str)]) -> Sources {
    let environment = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Sources {
        environment,
        ..Sources::default()
    }
}

fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("opsflux.toml");
    std::fs::write(&path, text).expect("a file");
    (
        folder,
        Sources {
            file: Some(path),
            ..Sources::default()
        },
    )
}

fn mistakes(sources: &Sources) -> Vec<Mistake> {
    Config::load(sources).expect_err("it must not start").0
}

#[test]
fn without_a_word_it_is_a_production_server_for_this_machine() {
    let config = Config::load(&Sources::default()).expect("defaults");
    assert_eq!(config.mode, Mode::Production);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(
        config.database(),
        format!("sqlite:{}", PathBuf::from("data/opsflux.db").display())
    );
    assert_eq!(config.http.rate_limit, 600);
    assert!(!config.http.plain_from_anywhere && config.http.secure_cookies && !config.auth.signup);
    assert!(config.http.cors_origins.is_empty());
}

#[test]
fn development_mode_moves_defaults_and_each_can_be_set_by_itself() {
    let config = Config::load(&environment(&[("OPSFLUX_MODE", "development")])).expect("it starts");
    assert!(config.http.plain_from_anywhere && !config.http.secure_cookies && config.auth.signup);

    let config = Config::load(&environment(&[
        ("OPSFLUX_MODE", "development"),
        ("OPSFLUX_AUTH__SIGNUP", "off"),
    ]))
    .expect("it starts");
    assert!(!config.auth.signup && config.http.plain_from_anywhere);
}

#[test]
fn the_command_line_beats_the_environment_which_beats_the_file() {
    let (_folder, mut sources) = file("listen = \"127.0.0.1:1\"\ndata = \"from-file\"\n");
    assert_eq!(Config::load(&sources).expect("file").http.listen.port(), 1);
    sources.environment = vec![
        ("OPSFLUX_LISTEN".to_owned(), "127.0.0.1:2".to_owned()),
        ("OPSFLUX_DATA".to_owned(), "from-environment".to_owned()),
    ];
    assert_eq!(
        Config::load(&sources)
            .expect("environment")
            .http
            .listen
            .port(),
        2
    );
    sources.command_line = vec![("listen", "127.0.0.1:3".to_owned())];
    let config = Config::load(&sources).expect("command line");
    assert_eq!(config.http.listen.port(), 3);
    assert_eq!(config.data, PathBuf::from("from-environment"));
}

#[test]
fn tables_arrays_numbers_and_booleans_of_toml_are_understood() {
    let (_folder, sources) = file(
        "[http]\nrate_limit = 1_000\nsecure_cookies = false\n\
         trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\ncors_origins = [\"https://a.example\"]\n\
         [log]\nfile = \"opsflux.log\"\n",
    );
    let config = Config::load(&sources).expect("it starts");
    assert_eq!(config.http.rate_limit, 1000);
    assert!(!config.http.secure_cookies);
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.http.cors_origins, ["https://a.example"]);
    assert_eq!(config.log.file, Some(PathBuf::from("opsflux.log")));
}

#[test]
fn the_audit_is_kept_seven_years_and_never_shorter() {
    let (_folder, sources) = file("");
    let config = Config::load(&sources).expect("it starts");
    assert_eq!(config.audit.keep_years, 7);
    let (_folder, sources) = file("[audit]\nkeep_years = 6\n");
    assert_eq!(mistakes(&sources)[0].key, "audit.keep_years");
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_one() {
    let (_folder, sources) = file("listen = \"127.0.0.1:1\"\n\n[http]\nrate_limits = 3\n");
    let found = mistakes(&sources);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].key, "http.rate_limits");
    assert!(
        found[0].place.ends_with("opsflux.toml, line 4"),
        "{}",
        found[0].place
    );
    assert!(
        found[0].expected.contains("http.rate_limit?"),
        "{}",
        found[0].expected
    );
}

#[test]
fn an_unknown_variable_of_ours_stops_the_start_and_others_do_not() {
    let found = mistakes(&environment(&[
        ("OPSFLUX_HTTP__COLOUR", "red"),
        ("PATH", "/bin"),
    ]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].key, "http.colour");
    assert_eq!(found[0].place, "environment variable OPSFLUX_HTTP__COLOUR");
}

#[test]
fn every_value_that_does_not_parse_is_told_at_once_with_what_is_allowed() {
    let found = mistakes(&environment(&[
        ("OPSFLUX_LISTEN", "here"),
        ("OPSFLUX_MODE", "fast"),
        ("OPSFLUX_SECRET_KEY", "abc"),
    ]));
    let keys: Vec<&str> = found.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(keys, ["mode", "listen", "secret_key"]);
    assert_eq!(found[0].expected, "takes production or development");
    assert!(
        !Mistakes(found).to_string().contains("abc"),
        "a value may be a secret"
    );
}

#[test]
fn a_file_that_is_named_must_be_there_and_be_toml() {
    let missing = Sources {
        file: Some(PathBuf::from("/nonexistent/o.toml")),
        ..Sources::default()
    };
    assert_eq!(mistakes(&missing)[0].key, "config");
    let (_folder, broken) = file("listen = \n");
    assert!(mistakes(&broken)[0].expected.starts_with("is not TOML"));
    let absent = Sources {
        default_file: Some(PathBuf::from("/nonexistent/opsflux.toml")),
        ..Sources::default()
    };
    assert!(Config::load(&absent).is_ok());
}

#[test]
fn the_regular_name_of_the_password_wins_over_the_old_one() {
    for order in [
        ["ADMIN_PASSWORD", "OPSFLUX_ADMIN_PASSWORD"],
        ["OPSFLUX_ADMIN_PASSWORD", "ADMIN_PASSWORD"],
    ] {
        let config = Config::load(&environment(&[(order[0], order[0]), (order[1], order[1])]));
        let password = config
            .expect("it starts")
            .admin
            .password
            .expect("a password");
        assert_eq!(password.reveal(), "OPSFLUX_ADMIN_PASSWORD");
    }
    let config = Config::load(&environment(&[("ADMIN_PASSWORD", "kept")])).expect("it starts");
    assert_eq!(config.admin.password.expect("a password").reveal(), "kept");
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let config = Config::load(&environment(&[(
        "OPSFLUX_ADMIN_PASSWORD",
        "hunter2hunter2",
    )]));
    assert!(!format!("{:?}", config.expect("it starts")).contains("hunter2"));
}

#[test]
fn the_reference_in_the_documentation_is_the_one_made_from_the_keys() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/configuration.md"
    );
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == reference(),
        "run `cargo xtask generate`: configuration.md is not up to date"
    );
}
