//! `postgres://…` addresses.

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;

use super::tls::TlsOptions;
use crate::error::StoreError;

/// How long one attempt to reach a host may take, unless the address says otherwise.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// Splits an address into what the driver understands and what is ours: encryption.
///
/// # Errors
/// [`StoreError::Setup`] with what is wrong, never with the address, which may hold a password.
pub(crate) fn parse(address: &str) -> Result<(Config, TlsOptions), StoreError> {
    let mut tls = TlsOptions::default();
    let (place, parameters) = address.split_once('?').unwrap_or((address, ""));
    let mut kept = Vec::new();
    for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some((name, value)) if name.starts_with("ssl") => {
                tls.set(name, &percent_decode_str(value).decode_utf8_lossy())?;
            }
            _ => kept.push(pair),
        }
    }
    let address = if kept.is_empty() {
        place.to_owned()
    } else {
        format!("{place}?{}", kept.join("&"))
    };
    let mut config: Config = address.parse().map_err(|error: tokio_postgres::Error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        StoreError::Setup(format!(
            "the address of the database is not understood: {}",
            cause.unwrap_or_else(|| error.to_string())
        ))
    })?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(StoreError::Setup(
            "the address of the database names no host: postgres://user:password@host/name"
                .to_owned(),
        ));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("opsflux");
    }
    config.ssl_mode(tls.ssl_mode());
    Ok((config, tls))
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::*;

    #[test]
    fn encryption_is_read_and_the_rest_is_left_to_the_driver() {
        let (config, tls) =
            parse("postgres://me:secret@db:5433/desk?sslmode=verify-full&connect_timeout=2")
                .unwrap();
        assert_eq!(config.get_dbname(), Some("desk"));
        assert_eq!(config.get_ports(), [5433]);
        assert_eq!(config.get_connect_timeout().unwrap().as_secs(), 2);
        assert_eq!(
            (config.get_ssl_mode(), tls.ssl_mode()),
            (SslMode::Require, SslMode::Require)
        );
        let (config, _) = parse("postgres://db/desk").unwrap();
        assert_eq!(config.get_ssl_mode(), SslMode::Prefer);
        assert_eq!(config.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
    }

    #[test]
    fn a_wrong_address_is_told_without_its_password() {
        for address in [
            "postgres://me:secret@db/desk?sslmode=allow",
            "postgres://me:secret@db/desk?sslcert=a.pem",
            "postgres://me:secret@db/desk?nonsense=1",
            "postgres://me:secret@db:port/desk",
            "postgres:///desk?user=me&password=secret",
        ] {
            let Err(StoreError::Setup(told)) = parse(address) else {
                panic!("{address} was accepted");
            };
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
