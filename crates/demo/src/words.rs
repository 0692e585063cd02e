//! What people write: the texts of templates with their `{names}` filled in.

use std::collections::BTreeMap;

use crate::data::Values;
use crate::draw::Draw;

/// Names inside of values, inside of values: no text goes deeper.
const DEEPEST: u8 = 4;

/// The words of one ticket: what a name stood for once it stands for until the end.
pub struct Words<'a> {
    pools: &'a BTreeMap<String, Values>,
    known: Vec<(&'a str, String)>,
}

impl<'a> Words<'a> {
    /// Words from `pools`, and what the generator knows itself.
    pub fn of(pools: &'a BTreeMap<String, Values>, known: Vec<(&'a str, String)>) -> Words<'a> {
        Words { pools, known }
    }

    /// The text as it is written: names filled in, paragraphs with a capital. A name that nobody
    /// knows stays in its braces.
    pub fn say(&mut self, text: &str, draw: &mut Draw) -> String {
        let said = self.fill(text, DEEPEST, draw);
        let mut written = String::with_capacity(said.len());
        for (place, paragraph) in said.split("\n\n").enumerate() {
            if place > 0 {
                written.push_str("\n\n");
            }
            let mut letters = paragraph.chars();
            if let Some(first) = letters.next() {
                written.extend(first.to_uppercase());
                written.push_str(letters.as_str());
            }
        }
        written
    }

    fn fill(&mut self, text: &str, deepest: u8, draw: &mut Draw) -> String {
        let mut filled = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            rest = after;
            let Some((name, after)) = after.split_once('}') else {
                filled.push('{');
                continue;
            };
            match self.meaning(name, deepest, draw) {
                Some(meaning) => filled.push_str(&meaning),
                None => {
                    filled.push('{');
                    filled.push_str(name);
                    filled.push('}');
                }
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn meaning(&mut self, name: &str, deepest: u8, draw: &mut Draw) -> Option<String> {
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == name) {
            return Some(known.clone());
        }
        let (name, values) = self.pools.get_key_value(name)?;
        let drawn = match values {
            Values::Number([first, last]) => draw.between(*first, *last).to_string(),
            Values::Texts(texts) => {
                let text = draw.pick(texts)?;
                draw.digits(text)
            }
        };
        let meaning = match deepest.checked_sub(1) {
            Some(deepest) if drawn.contains('{') => self.fill(&drawn, deepest, draw),
            _ => drawn,
        };
        self.known.push((name, meaning.clone()));
        Some(meaning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools() -> BTreeMap<String, Values> {
        let texts = |texts: &[&str]| Values::Texts(texts.iter().map(|t| (*t).to_owned()).collect());
        BTreeMap::from([
            ("hello".to_owned(), texts(&["bonjour {requester},"])),
            ("few".to_owned(), Values::Number([3, 9])),
            ("order".to_owned(), texts(&["BC-####"])),
        ])
    }

    #[test]
    fn names_are_filled_in_and_paragraphs_begin_with_a_capital() {
        let pools = pools();
        let mut words = Words::of(&pools, vec![("requester", "Awa".to_owned())]);
        let said = words.say("{hello}\n\nétat de {order}, {unknown}", &mut Draw::of(1, 0));
        let order = said.split("BC-").nth(1).unwrap();
        assert!(said.starts_with("Bonjour Awa,\n\nÉtat de BC-"), "{said}");
        assert!(
            order[..4].bytes().all(|digit| digit.is_ascii_digit()),
            "{said}"
        );
        assert!(said.ends_with(", {unknown}"));
    }

    #[test]
    fn a_name_stands_for_the_same_through_one_ticket() {
        let pools = pools();
        let mut draw = Draw::of(5, 0);
        let mut words = Words::of(&pools, Vec::new());
        let (first, second) = (
            words.say("{few} {order}", &mut draw),
            words.say("{few} {order}", &mut draw),
        );
        assert_eq!(first, second);
        let others: Vec<String> = (0..20)
            .map(|_| Words::of(&pools, Vec::new()).say("{few} {order}", &mut draw))
            .collect();
        assert!(others.iter().any(|other| *other != first));
    }

    #[test]
    fn a_value_that_names_itself_ends() {
        let pools = BTreeMap::from([("x".to_owned(), Values::Texts(vec!["a{x}".to_owned()]))]);
        let said = Words::of(&pools, Vec::new()).say("{x}", &mut Draw::of(1, 0));
        assert!(said.len() < 20, "{said}");
    }
}
