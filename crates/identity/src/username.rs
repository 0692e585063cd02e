//! `@prenom.nom.entreprise`: how a name for signing in is made from a person and a company.
//!
//! Pure. Made once, when the account is; it does not follow a marriage or a move, because people
//! know it by heart.

use opsflux_model::fold::fold;

/// Longest part of a first name, a last name and a company, so that the whole stays below 100.
const FIRST: usize = 30;
const LAST: usize = 30;
const COMPANY: usize = 30;

/// What a name is made of.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// First name, when known apart.
    pub first: &'a str,
    /// Last name, when known apart.
    pub last: &'a str,
    /// The whole name; its first word is then the first name.
    pub full: &'a str,
    /// What stands before the `@` serves when the name leaves nothing.
    pub email: &'a str,
    /// Code of the company, or its name.
    pub company: &'a str,
}

/// The first username of `named` for which `taken` is false: `@awa.ndong.ges`, then
/// `@awa.ndong2.ges` for a homonym.
pub fn make(named: &Named<'_>, taken: impl Fn(&str) -> bool) -> String {
    let stem = stem(named);
    let company = match company_part(named.company) {
        company if company.is_empty() => String::new(),
        company => format!(".{company}"),
    };
    let first = format!("@{stem}{company}");
    if !taken(&first) {
        return first;
    }
    let mut number = 2_u32;
    loop {
        let candidate = format!("@{stem}{number}{company}");
        if !taken(&candidate) {
            return candidate;
        }
        number += 1;
    }
}

/// How every username of a homonym begins.
#[must_use]
pub fn prefix(named: &Named<'_>) -> String {
    format!("@{}", stem(named))
}

/// What a company's code becomes at the end of a username.
#[must_use]
pub fn company_part(code: &str) -> String {
    part(code, COMPANY)
}

fn stem(named: &Named<'_>) -> String {
    let apart = !named.first.trim().is_empty() && !named.last.trim().is_empty();
    let (first, last) = if apart {
        (named.first, named.last)
    } else {
        let full = named.full.trim();
        full.split_once(char::is_whitespace).unwrap_or((full, ""))
    };
    let (first, last) = (part(first, FIRST), part(last, LAST));
    match (first.is_empty(), last.is_empty()) {
        (false, false) => format!("{first}.{last}"),
        (false, true) => first,
        (true, false) => last,
        (true, true) => {
            let local = named.email.split('@').next().unwrap_or_default();
            match part(local, FIRST) {
                local if local.is_empty() => "user".to_owned(),
                local => local,
            }
        }
    }
}

/// Lower case, accents folded, only `a–z`, `0–9` and single hyphens between them.
fn part(text: &str, most: usize) -> String {
    let mut made = String::new();
    for c in fold(text).chars() {
        if c.is_ascii_alphanumeric() {
            made.push(c);
        } else if !made.is_empty() && !made.ends_with('-') {
            made.push('-');
        }
    }
    made.truncate(most);
    made.truncate(made.trim_end_matches('-').len());
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(named: &Named<'_>) -> String {
        make(named, |_| false)
    }

    #[test]
    fn a_username_is_made_of_first_name_last_name_and_company() {
        let named = Named {
            first: "Jean",
            last: "Dupont",
            company: "ACME",
            ..Named::default()
        };
        assert_eq!(made(&named), "@jean.dupont.acme");
        let named = Named {
            full: "Jean Dupont",
            company: "ACME",
            ..Named::default()
        };
        assert_eq!(made(&named), "@jean.dupont.acme");
    }

    #[test]
    fn accents_blanks_and_signs_are_folded() {
        let named = Named {
            first: "Éloïse-Marie",
            last: "N’Dong  de la Tour",
            company: "Gaz & Eaux du Sud",
            ..Named::default()
        };
        assert_eq!(
            made(&named),
            "@eloise-marie.n-dong-de-la-tour.gaz-eaux-du-sud"
        );
        let named = Named {
            full: "  Straße  Œuvre ",
            company: "ges",
            ..Named::default()
        };
        assert_eq!(made(&named), "@strasse.oeuvre.ges");
    }

    #[test]
    fn homonyms_get_a_number() {
        let named = Named {
            full: "Awa Ndong",
            company: "GES",
            ..Named::default()
        };
        let mut taken: Vec<String> = Vec::new();
        for expected in ["@awa.ndong.ges", "@awa.ndong2.ges", "@awa.ndong3.ges"] {
            let next = make(&named, |name| taken.iter().any(|known| known == name));
            assert_eq!(next, expected);
            assert!(next.starts_with(&prefix(&named)));
            taken.push(next);
        }
    }

    #[test]
    fn whatever_the_name_there_is_a_username() {
        let cases = [
            (
                Named {
                    full: "Madonna",
                    company: "ges",
                    ..Named::default()
                },
                "@madonna.ges",
            ),
            (
                Named {
                    first: "Awa",
                    full: "Awa Ndong",
                    company: "ges",
                    ..Named::default()
                },
                "@awa.ndong.ges",
            ),
            (
                Named {
                    last: "Ndong",
                    full: "Ndong",
                    company: "ges",
                    ..Named::default()
                },
                "@ndong.ges",
            ),
            (
                Named {
                    full: "李小龙",
                    email: "bruce.lee@x.org",
                    company: "ges",
                    ..Named::default()
                },
                "@bruce-lee.ges",
            ),
            (
                Named {
                    full: "李小龙",
                    company: "香港",
                    ..Named::default()
                },
                "@user",
            ),
        ];
        for (named, expected) in cases {
            assert_eq!(made(&named), expected);
        }
    }

    #[test]
    fn it_fits_its_field() {
        let long = "Abcdefghij ".repeat(20);
        let named = Named {
            first: &long,
            last: &long,
            company: &long,
            ..Named::default()
        };
        let made = make(&named, |name| !name.contains("2000"));
        assert!(made.len() <= 100, "{made}");
        assert!(
            made.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "@.-".contains(c))
        );
    }
}
