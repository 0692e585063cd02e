//! Where the words looked for stand in a text: escaped HTML with `<mark>`.

use crate::words::{Word, tolerance, words};

/// Letters of context around the first word found.
const CONTEXT: usize = 80;

/// The part of `text` around the words that match, or `None` when none does.
#[must_use]
pub fn highlight(text: &str, wanted: &[String]) -> Option<String> {
    let marked: Vec<Word> = words(text)
        .into_iter()
        .filter(|word| wanted.iter().any(|wanted| matches(&word.text, wanted)))
        .collect();
    let first = marked.first()?;
    let from = boundary(text, first.at.start.saturating_sub(CONTEXT));
    let until = boundary(text, (first.at.end + 2 * CONTEXT).min(text.len()));
    let mut html = String::new();
    if from > 0 {
        html.push('…');
    }
    let mut at = from;
    for word in marked
        .iter()
        .filter(|word| word.at.start >= from && word.at.end <= until)
    {
        escape(&text[at..word.at.start], &mut html);
        html.push_str("<mark>");
        escape(&text[word.at.clone()], &mut html);
        html.push_str("</mark>");
        at = word.at.end;
    }
    escape(&text[at..until], &mut html);
    if until < text.len() {
        html.push('…');
    }
    Some(html)
}

/// Whether a word of a text is what the index would have found: the beginning, with a tolerance.
fn matches(word: &str, wanted: &str) -> bool {
    word.starts_with(wanted) || distance_to_prefix(word, wanted) <= usize::from(tolerance(wanted))
}

/// The least number of edits (insert, delete, replace, swap neighbours) that makes `wanted` some
/// beginning of `word`.
fn distance_to_prefix(word: &str, wanted: &str) -> usize {
    let word: Vec<char> = word.chars().take(wanted.chars().count() + 2).collect();
    let wanted: Vec<char> = wanted.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=word.len()).collect()];
    for (i, letter) in wanted.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in word.iter().enumerate() {
            let cost = usize::from(letter != other);
            let mut best = (rows[i][j] + cost).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == word[j - 1] && wanted[i - 1] == *other {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last()
        .and_then(|row| row.iter().copied().min())
        .unwrap_or(usize::MAX)
}

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn escape(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, wanted: &str) -> Option<String> {
        highlight(text, &[opsflux_model::fold::fold(wanted)])
    }

    #[test]
    fn what_is_found_is_marked_in_the_original_spelling() {
        assert_eq!(
            marked("Panne du Réseau", "reseau").unwrap(),
            "Panne du <mark>Réseau</mark>"
        );
        assert_eq!(
            marked("Une imprimante", "imprimnate").unwrap(),
            "Une <mark>imprimante</mark>"
        );
        assert_eq!(
            marked("imprimantes", "impri").unwrap(),
            "<mark>imprimantes</mark>"
        );
        assert_eq!(marked("rien", "tout"), None);
    }

    #[test]
    fn html_in_a_text_stays_text() {
        let html = marked("<script>alert('réseau')</script>", "reseau").unwrap();
        assert_eq!(
            html,
            "&lt;script&gt;alert(&#39;<mark>réseau</mark>&#39;)&lt;/script&gt;"
        );
    }

    #[test]
    fn long_texts_are_cut_around_the_first_mark() {
        let text = format!("{}réseau{}", "é ".repeat(200), " à".repeat(200));
        let html = marked(&text, "reseau").unwrap();
        assert!(html.starts_with('…') && html.ends_with('…') && html.len() < 700);
    }
}
