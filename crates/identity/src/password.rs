//! Passwords: which are good enough, how they are kept, how they are compared.
//!
//! Kept as argon2id with the parameters OWASP recommends (19 MiB, 2 passes, 1 lane). Comparing
//! costs tens of milliseconds and 19 MiB by design, so it runs on blocking threads, a few at a
//! time, with a bounded queue before them. What must never be here: a password in a log or error.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use opsflux_model::fold::fold;
use opsflux_records::Error;
use tokio::sync::{Semaphore, SemaphorePermit};
use zxcvbn::{Score, zxcvbn};

use crate::keys::{CryptoFailed, random};

/// Fewest characters.
pub const SHORTEST: usize = 8;
/// From this many characters on, a weaker estimate is enough.
pub const LONG: usize = 12;
/// Most bytes; a longer text is an attack, not a password.
pub const LONGEST: usize = 1024;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Why a password is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too few characters.
    #[error("at least {SHORTEST} characters are needed")]
    Short,
    /// Too many.
    #[error("at most {LONGEST} bytes are possible")]
    Long,
    /// Found quickly by whoever tries the usual ones.
    #[error("it is easy to guess: use more words, or characters that follow no pattern")]
    Guessable,
    /// Made of the person's own name or address.
    #[error("it contains the name or the e-mail address")]
    Personal,
}

impl Weak {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Weak::Short => "password_too_short",
            Weak::Long => "password_too_long",
            Weak::Guessable => "password_too_weak",
            Weak::Personal => "password_personal",
        }
    }
}

/// Whether `password` is good enough for somebody known by `names` (names, e-mail, username).
///
/// At least 8 characters; it must hold out 10⁸ guesses (zxcvbn score 3), from 12 characters on
/// 10⁶ (score 2), and not contain a name of its owner. There are no rules on kinds of characters:
/// they make passwords worse.
///
/// # Errors
/// The first reason against it.
pub fn check(password: &str, names: &[&str]) -> Result<(), Weak> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(Weak::Short);
    }
    if password.len() > LONGEST {
        return Err(Weak::Long);
    }
    if contains_name(password, names) {
        return Err(Weak::Personal);
    }
    let needed = if length >= LONG {
        Score::Two
    } else {
        Score::Three
    };
    if zxcvbn(password, names).score() < needed {
        return Err(Weak::Guessable);
    }
    Ok(())
}

/// Whether a part of a name of at least four letters stands in the password.
fn contains_name(password: &str, names: &[&str]) -> bool {
    let folded = fold(password);
    names
        .iter()
        .flat_map(|name| {
            // The domain of an address is the employer's and says nothing of the person.
            let name = match name.strip_prefix('@') {
                Some(username) => username,
                None => name.split('@').next().unwrap_or(name),
            };
            fold(name)
                .split(|c: char| !c.is_alphanumeric())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|part| part.chars().count() >= 4)
        .any(|part| folded.contains(&part))
}

/// The hash to keep, in PHC form.
///
/// # Errors
/// [`CryptoFailed`].
pub fn hash(password: &str) -> Result<String, CryptoFailed> {
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(|_| CryptoFailed)?;
    let hash = argon2()?
        .hash_password(password.as_bytes(), &salt)
        .map_err(|_| CryptoFailed)?;
    Ok(hash.to_string())
}

fn argon2() -> Result<Argon2<'static>, CryptoFailed> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| CryptoFailed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A hash that costs what a real one costs and that no password is known for: compared when there
/// is no account, so that the answer takes the same time.
fn nobodys_hash() -> String {
    let (salt, output) = ("A".repeat(22), "A".repeat(43));
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}")
}

fn matches(password: &str, hash: &str) -> bool {
    // The parameters are those of the stored hash; the comparison takes the same time for any two.
    match (PasswordHash::new(hash), argon2()) {
        (Ok(hash), Ok(argon2)) => argon2.verify_password(password.as_bytes(), &hash).is_ok(),
        _ => false,
    }
}

/// Compares passwords, a few at a time.
#[derive(Debug, Clone)]
pub(crate) struct Comparer {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// A turn to compare; the others wait until it is given back.
pub(crate) struct Turn<'a> {
    _running: SemaphorePermit<'a>,
    _waiting: SemaphorePermit<'a>,
}

/// More than this many at once is a flood; the rest is told to come back.
const MOST_WAITING: usize = 256;
const COME_BACK: Duration = Duration::from_secs(2);

impl Comparer {
    /// One comparison at a time per core, four at most: each takes 19 MiB.
    pub fn new() -> Comparer {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Comparer {
            running: Arc::new(Semaphore::new(cores.clamp(1, 4))),
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
        }
    }

    /// Waits for a turn. The caller checks limits again once it has one: others have tried
    /// meanwhile.
    ///
    /// # Errors
    /// [`Error::TooMany`] when too many wait already.
    pub async fn turn(&self) -> Result<Turn<'_>, Error> {
        let busy = || Error::TooMany {
            retry_after: COME_BACK.as_secs(),
        };
        let waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let running = self.running.acquire().await.map_err(|_| busy())?;
        Ok(Turn {
            _running: running,
            _waiting: waiting,
        })
    }

    /// Whether `password` belongs to `hash`; without a hash it takes as long and is false.
    ///
    /// # Errors
    /// [`Error::Internal`] when the thread died.
    pub async fn compare(
        &self,
        _turn: &Turn<'_>,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(nobodys_hash);
        tokio::task::spawn_blocking(move || matches(&password, &hash) && known)
            .await
            .map_err(|died| Error::Internal(died.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_judged_by_how_hard_it_is_to_guess() {
        for good in [
            "tuyau d'orgue violet",
            "Kx9#mQ2!vB",
            "Str0ng!Passw0rd-42",
            "mot de passe du quai 7",
        ] {
            assert_eq!(check(good, &[]), Ok(()), "{good}");
        }
        assert_eq!(check("Kx9#mQ2", &[]), Err(Weak::Short));
        for guessable in [
            "password",
            "12345678",
            "azertyuiop",
            "Password1!",
            "aaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(check(guessable, &[]), Err(Weak::Guessable), "{guessable}");
        }
        assert_eq!(check(&"Kx9#mQ2!vB".repeat(200), &[]), Err(Weak::Long));
    }

    #[test]
    fn a_password_does_not_hold_the_name_of_its_owner() {
        let names = ["Éloïse Ndong", "eloise.n@acme.example", "@eloise.ndong.ges"];
        assert_eq!(check("quai-NDONG-violet-7", &names), Err(Weak::Personal));
        assert_eq!(check("eloise sous la pluie", &names), Err(Weak::Personal));
        assert_eq!(
            check("tuyau d'orgue acme", &names),
            Ok(()),
            "the employer is no secret part"
        );
        assert_eq!(
            check("tuyau d'orgue violet", &["Li Wu"]),
            Ok(()),
            "short parts occur anywhere"
        );
    }

    #[test]
    fn a_hash_is_argon2id_salted_and_matches_its_password_only() {
        let (one, other) = (
            hash("tuyau d'orgue").unwrap(),
            hash("tuyau d'orgue").unwrap(),
        );
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(matches("tuyau d'orgue", &one));
        assert!(!matches("tuyau d'Orgue", &one));
        assert!(!matches("tuyau d'orgue", "not a hash"));
    }

    #[test]
    fn comparing_with_nobody_costs_what_a_real_comparison_costs() {
        let nobody = nobodys_hash();
        let parsed = PasswordHash::new(&nobody).unwrap();
        let real = hash("x").unwrap();
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!(parsed.params, real.params);
        assert_eq!(parsed.algorithm, real.algorithm);
        assert_eq!(parsed.hash.unwrap().len(), real.hash.unwrap().len());
    }

    #[tokio::test]
    async fn without_a_hash_no_password_matches() {
        let comparer = Comparer::new();
        let turn = comparer.turn().await.unwrap();
        assert!(!comparer.compare(&turn, String::new(), None).await.unwrap());
        let hash = hash("tuyau d'orgue").unwrap();
        assert!(
            comparer
                .compare(&turn, "tuyau d'orgue".into(), Some(hash))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn a_flood_is_told_to_come_back() {
        let comparer = Comparer::new();
        let mut turns = Vec::new();
        for _ in 0..MOST_WAITING {
            turns.push(comparer.waiting.clone().try_acquire_owned().unwrap());
        }
        assert!(matches!(comparer.turn().await, Err(Error::TooMany { .. })));
        turns.pop();
        assert!(comparer.turn().await.is_ok());
    }
}
