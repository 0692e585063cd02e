//! What is known of a request before anything is looked up: its id, where it comes from, in
//! which language it asks.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, header};
use ipnet::IpNet;
use opsflux_records::{Language, Origin};
use uuid::Uuid;

/// Longest request id taken over from outside.
const LONGEST_ID: usize = 128;

/// The frame of one request.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its id: the sender's when it is sane, else ours.
    pub request_id: String,
    /// As sent, when it is well formed; passed on.
    pub traceparent: Option<String>,
    /// Who sent it, seen through trusted proxies.
    pub address: IpAddr,
    /// Whether nobody between the person and us reads along: HTTPS at a trusted proxy.
    pub encrypted: bool,
    /// Whether it comes from this machine or through a trusted proxy.
    pub local: bool,
}

impl Frame {
    /// Reads the frame of a request that came from `peer`.
    #[must_use]
    pub fn read(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpNet]) -> Frame {
        let peer = peer.ip().to_canonical();
        let proxied = is_trusted(peer, trusted);
        let traceparent = text(headers, "traceparent").filter(|value| trace_id(value).is_some());
        let request_id = text(headers, "x-request-id")
            .filter(|id| is_sane(id))
            .or_else(|| traceparent.and_then(trace_id))
            .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        Frame {
            request_id,
            traceparent: traceparent.map(str::to_owned),
            address: if proxied {
                behind_proxies(headers, peer, trusted)
            } else {
                peer
            },
            encrypted: proxied && text(headers, "x-forwarded-proto") == Some("https"),
            local: proxied || peer.is_loopback(),
        }
    }

    /// What audit and feed keep about it.
    #[must_use]
    pub fn origin(&self, headers: &HeaderMap) -> Origin {
        // Our interface says so itself; a script may too, and gains nothing by it.
        let web = text(headers, "x-requested-with") == Some("opsflux");
        Origin {
            source: if web { "web" } else { "api" }.to_owned(),
            device: text(headers, "opsflux-device").map(|name| cut(name, 200)),
            address: Some(self.address.to_string()),
            user_agent: text(headers, header::USER_AGENT.as_str()).map(|agent| cut(agent, 512)),
            request_id: Some(self.request_id.clone()),
            ..Origin::default()
        }
    }
}

/// The language a request asks for.
#[must_use]
pub fn language(headers: &HeaderMap) -> Option<Language> {
    text(headers, header::ACCEPT_LANGUAGE.as_str()).and_then(Language::accepted)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn is_sane(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= LONGEST_ID
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
}

/// The trace of a W3C `traceparent`: `00-{32 hex}-{16 hex}-{2 hex}`.
fn trace_id(value: &str) -> Option<&str> {
    let mut parts = value.split('-');
    let hex = |part: Option<&'_ str>, length: usize| {
        part.is_some_and(|part| {
            part.len() == length
                && part
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        })
    };
    let version = parts.next();
    let trace = parts.next();
    let well_formed = hex(version, 2)
        && version != Some("ff")
        && hex(trace, 32)
        && hex(parts.next(), 16)
        && hex(parts.next(), 2);
    trace.filter(|trace| well_formed && trace.bytes().any(|byte| byte != b'0'))
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// The last address in `X-Forwarded-For` that is not a proxy of ours: everything before it could
/// have been written by anybody.
fn behind_proxies(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut seen = peer;
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else {
            return seen;
        };
        seen = address.to_canonical();
        if !is_trusted(seen, trusted) {
            return seen;
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_str(value).expect("a header"));
        }
        map
    }

    fn frame(pairs: &[(&'static str, &str)], peer: &str, trusted: &[&str]) -> Frame {
        let trusted: Vec<IpNet> = trusted
            .iter()
            .map(|net| net.parse().expect("net"))
            .collect();
        Frame::read(
            &headers(pairs),
            SocketAddr::new(peer.parse().expect("ip"), 1),
            &trusted,
        )
    }

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_sane_request_id_is_taken_over_and_any_other_replaced() {
        assert_eq!(
            frame(&[("x-request-id", "abc-1")], "10.0.0.1", &[]).request_id,
            "abc-1"
        );
        for bad in ["", "has space", "new\tline", &"x".repeat(200)] {
            let id = frame(&[("x-request-id", bad)], "10.0.0.1", &[]).request_id;
            assert!(Uuid::try_parse(&id).is_ok(), "{id}");
        }
    }

    #[test]
    fn a_trace_is_passed_on_and_names_the_request_when_nothing_else_does() {
        let frame = frame(&[("traceparent", TRACE)], "10.0.0.1", &[]);
        assert_eq!(frame.traceparent.as_deref(), Some(TRACE));
        assert_eq!(frame.request_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        for bad in [
            "00-xyz",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        ] {
            assert!(super::trace_id(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_says_where_a_request_comes_from() {
        let forged = [
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
        ];
        let direct = frame(&forged, "203.0.113.9", &["10.0.0.0/8"]);
        assert_eq!(direct.address.to_string(), "203.0.113.9");
        assert!(!direct.encrypted && !direct.local);

        let proxied = frame(&forged, "10.0.0.2", &["10.0.0.0/8"]);
        assert_eq!(proxied.address.to_string(), "1.2.3.4");
        assert!(proxied.encrypted && proxied.local);
    }

    #[test]
    fn of_a_chain_the_first_stranger_from_the_right_counts() {
        let chain = [("x-forwarded-for", "6.6.6.6, 198.51.100.7, 10.0.0.3")];
        assert_eq!(
            frame(&chain, "10.0.0.2", &["10.0.0.0/8"])
                .address
                .to_string(),
            "198.51.100.7"
        );
        let garbage = [("x-forwarded-for", "198.51.100.7, unknown")];
        assert_eq!(
            frame(&garbage, "10.0.0.2", &["10.0.0.0/8"])
                .address
                .to_string(),
            "10.0.0.2"
        );
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_the_same_address() {
        assert!(frame(&[], "::ffff:127.0.0.1", &[]).local);
    }
}
