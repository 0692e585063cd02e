//! Templates of record numbers: `TIC-{seq:06}`.

use crate::schema::{NumberPart, NumberTemplate};

/// Reads a template.
///
/// # Errors
/// Why no number made from it could be told from a word: numbers match `[A-Z][A-Z0-9]*-[A-Z0-9-]+`
/// and have exactly one sequence.
pub(crate) fn parse(source: &str) -> Result<NumberTemplate, String> {
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some(open) = rest.find('{') {
        push_text(&mut parts, &rest[..open]);
        let Some(close) = rest[open..].find('}') else {
            return Err("a { is never closed".to_owned());
        };
        parts.push(part(&rest[open + 1..open + close])?);
        rest = &rest[open + close + 1..];
    }
    push_text(&mut parts, rest);
    check(&parts)?;
    Ok(NumberTemplate {
        source: source.to_owned(),
        parts,
        gapless: false,
    })
}

fn push_text(parts: &mut Vec<NumberPart>, text: &str) {
    if !text.is_empty() {
        parts.push(NumberPart::Text(text.to_owned()));
    }
}

fn part(name: &str) -> Result<NumberPart, String> {
    let unknown =
        || format!("there is no {{{name}}}; there are {{seq:N}}, {{yyyy}}, {{yy}}, {{mm}}");
    match name {
        "seq" => Ok(NumberPart::Sequence(1)),
        "yyyy" => Ok(NumberPart::Year { short: false }),
        "yy" => Ok(NumberPart::Year { short: true }),
        "mm" => Ok(NumberPart::Month),
        _ => {
            let width = name.strip_prefix("seq:").ok_or_else(unknown)?;
            match width.parse() {
                Ok(width @ 1..=12) => Ok(NumberPart::Sequence(width)),
                _ => Err("the width of {seq:N} is from 1 to 12".to_owned()),
            }
        }
    }
}

fn check(parts: &[NumberPart]) -> Result<(), String> {
    let sequences = parts
        .iter()
        .filter(|part| matches!(part, NumberPart::Sequence(_)))
        .count();
    if sequences != 1 {
        return Err("there must be exactly one {seq:N}".to_owned());
    }
    let Some(NumberPart::Text(first)) = parts.first() else {
        return Err("it must begin with a prefix such as TIC-".to_owned());
    };
    let prefix = first.split('-').next().unwrap_or_default();
    if !prefix.starts_with(|c: char| c.is_ascii_uppercase()) || !first.contains('-') {
        return Err("it must begin with capitals and a hyphen, such as TIC-".to_owned());
    }
    let is_plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
    };
    let all_plain = parts.iter().all(|part| match part {
        NumberPart::Text(text) => is_plain(text),
        _ => true,
    });
    if all_plain {
        Ok(())
    } else {
        Err("it may hold capitals, digits and hyphens only".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_recognised() {
        let template = parse("PTW-{yyyy}-{mm}-{seq:04}").unwrap();
        assert_eq!(
            template.parts,
            [
                NumberPart::Text("PTW-".into()),
                NumberPart::Year { short: false },
                NumberPart::Text("-".into()),
                NumberPart::Month,
                NumberPart::Text("-".into()),
                NumberPart::Sequence(4),
            ]
        );
    }

    #[test]
    fn what_would_not_make_a_number_is_refused() {
        for (source, why) in [
            ("TIC-", "exactly one"),
            ("TIC-{seq}-{seq}", "exactly one"),
            ("TIC-{seq:0}", "from 1 to 12"),
            ("TIC-{seq:13}", "from 1 to 12"),
            ("TIC-{sq:6}", "there is no {sq:6}"),
            ("TIC-{seq:6", "never closed"),
            ("{seq:6}", "prefix"),
            ("tic-{seq:6}", "capitals"),
            ("TIC{seq:6}", "hyphen"),
            ("TIC-{seq:6}é", "only"),
        ] {
            let error = parse(source).unwrap_err();
            assert!(error.contains(why), "{source}: {error}");
        }
    }
}
