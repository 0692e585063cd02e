//! Which addresses may be called: those of the public network, nothing nearer.
//!
//! A name is resolved once, the addresses are judged, and the connection is made to one of those:
//! a name that answers otherwise a moment later changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Ranges of IPv4 that are no place in the public network.
const NEAR_V4: &[([u8; 4], u8)] = &[
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // behind a provider's NAT
    ([127, 0, 0, 0], 8),     // this machine
    ([169, 254, 0, 0], 16),  // this link, and the metadata of clouds
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocols
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // relays of 6to4
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // measurements
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// What is given out of IPv6 for public use.
const PUBLIC_V6: ([u16; 8], u8) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Ranges inside it that lead elsewhere, some of them to an IPv4 address of anybody's choice.
const NEAR_V6: &[([u16; 8], u8)] = &[
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // Teredo and other protocols
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), // 6to4
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation
];

/// Whether `address` is a place in the public network.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NEAR_V4.iter().any(|(net, bits)| {
            Ipv4Net::new(Ipv4Addr::from(*net), *bits).is_ok_and(|net| net.contains(&address))
        }),
        // An IPv4 address inside an IPv6 one is outside the public range, whatever it is.
        IpAddr::V6(address) => {
            let within = |(net, bits): &([u16; 8], u8)| {
                Ipv6Net::new(Ipv6Addr::from(*net), *bits).is_ok_and(|net| net.contains(&address))
            };
            within(&PUBLIC_V6) && !NEAR_V6.iter().any(within)
        }
    }
}

/// Those of `found` that may be called.
#[must_use]
pub fn allowed(found: &[SocketAddr], allow_private: bool) -> Vec<SocketAddr> {
    found
        .iter()
        .copied()
        .filter(|address| allow_private || is_public(address.ip()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn places_of_the_public_network_may_be_called() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.32.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4007::1",
        ] {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn what_is_nearer_may_not() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    #[test]
    fn of_several_addresses_those_that_may_be_called_are_left() {
        let found: Vec<SocketAddr> = ["127.0.0.1:80", "1.1.1.1:80", "[::1]:80"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        assert_eq!(allowed(&found, false), found[1..2]);
        assert_eq!(allowed(&found, true), found);
    }
}
