//! Encryption at rest: what lies on the disk tells nothing, keys are where they should be, and
//! going over from one to another loses nothing.

mod at_rest;
mod changed;
mod crash;
mod moved;

use crate::backup::Place;

/// Keys of nobody.
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

/// One on each database.
fn places() -> [Place; 2] {
    [Place::sqlite(), Place::postgres()]
}

/// With another value for a setting.
fn set(mut place: Place, name: &'static str, value: &str) -> Place {
    place.settings.retain(|(known, _)| *known != name);
    match value {
        "" => place,
        value => place.with(name, value),
    }
}

/// Encrypted from its first start on.
fn encrypted(place: Place) -> Place {
    let place = place.with("OPSFLUX_ENCRYPTION", "on");
    place.with("OPSFLUX_SECRET_KEY", KEY)
}
