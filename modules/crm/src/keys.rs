//! What two records of the same party have in common, however they were typed.

use opsflux_model::fold::fold;

/// Where everybody has his mail: says nothing about whom one works for.
const FREE: [&str; 24] = [
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "outlook.fr",
    "hotmail.com",
    "hotmail.fr",
    "live.com",
    "live.fr",
    "yahoo.com",
    "yahoo.fr",
    "icloud.com",
    "me.com",
    "orange.fr",
    "wanadoo.fr",
    "free.fr",
    "sfr.fr",
    "laposte.net",
    "bbox.fr",
    "gmx.com",
    "gmx.fr",
    "gmx.de",
    "proton.me",
    "protonmail.com",
    "aol.com",
];
/// Reserved for examples and tests (RFC 2606): nobody's.
const NOBODYS: [&str; 7] = [
    "example.com",
    "example.org",
    "example.net",
    ".example",
    ".test",
    ".invalid",
    ".local",
];
/// Legal forms, which one writes and another leaves out.
const FORMS: [&str; 26] = [
    "sa", "sas", "sasu", "sarl", "eurl", "sci", "snc", "scop", "gie", "gmbh", "ag", "kg", "ltd",
    "limited", "plc", "llc", "inc", "corp", "spa", "srl", "sl", "slu", "bv", "nv", "lda", "oy",
];

/// An address as it is compared.
pub fn email(address: &str) -> String {
    address.trim().to_lowercase()
}

/// The domain of an address, when it says for whom one works.
pub fn domain(address: &str) -> Option<String> {
    let (_, domain) = address.trim().rsplit_once('@')?;
    let domain = domain.to_lowercase();
    let nobodys = NOBODYS.iter().any(|end| domain.ends_with(end));
    (!domain.is_empty() && !nobodys && !FREE.contains(&domain.as_str())).then_some(domain)
}

/// The domain of a website.
pub fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?', '#']).next()?.to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host).to_owned();
    host.contains('.')
        .then(|| domain(&format!("@{host}")))
        .flatten()
}

/// A name without accents, marks and legal form.
pub fn name(text: &str) -> String {
    let folded = fold(text).replace('.', "");
    let words: Vec<&str> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let kept: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !FORMS.contains(word))
        .collect();
    // Who is called like a legal form and nothing else keeps his name.
    if kept.is_empty() {
        words.join(" ")
    } else {
        kept.join(" ")
    }
}

/// A name in its town; nothing without a town, for there are many with the same name.
pub fn name_in_town(text: &str, town: &str) -> Option<String> {
    let (name, town) = (name(text), name(town));
    (!name.is_empty() && !town.is_empty()).then(|| format!("{name}|{town}"))
}

/// A tax number without its spaces and points.
pub fn tax(number: &str) -> Option<String> {
    let kept: String = number
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect();
    (kept.len() >= 5).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_with_and_without_legal_form_accents_and_points() {
        assert_eq!(name("Béton & Fils S.A.R.L."), "beton fils");
        assert_eq!(name("BETON ET FILS"), "beton et fils");
        assert_eq!(name("S.A."), "sa", "nothing else is left");
        assert_eq!(
            name_in_town("Énergie du Golfe SAS", "Saint-Nazaire"),
            name_in_town("energie du golfe", "SAINT NAZAIRE")
        );
        assert_eq!(name_in_town("Énergie", " "), None);
    }

    #[test]
    fn a_domain_says_for_whom_one_works_unless_everybody_has_it() {
        assert_eq!(
            domain("Jean@Acier-Ouest.FR").as_deref(),
            Some("acier-ouest.fr")
        );
        assert_eq!(domain("jean@gmail.com"), None);
        assert_eq!(domain("jean@example.org"), None);
        assert_eq!(domain("jean"), None);
        assert_eq!(
            host("https://www.acier-ouest.fr/contact").as_deref(),
            Some("acier-ouest.fr")
        );
    }

    #[test]
    fn a_tax_number_is_its_letters_and_digits() {
        assert_eq!(tax("fr 12 345.678.901").as_deref(), Some("FR12345678901"));
        assert_eq!(tax("n/a"), None);
    }
}
