//! The query of an address: decoded, and every name in it known.

use opsflux_records::{Error, Operation};
use percent_encoding::percent_decode;

/// Longest address: path and query.
pub const LONGEST_ADDRESS: usize = 16 * 1024;

/// Decodes a query in order. Bytes that are no text are refused rather than replaced: a filter
/// that silently means something else is worse than an error.
///
/// # Errors
/// The parameter that is no text.
pub fn decode(query: &str) -> Result<Vec<(String, String)>, Error> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let text = |part: &str| {
                let spaced = part.replace('+', " ");
                percent_decode(spaced.as_bytes())
                    .decode_utf8()
                    .map(|text| text.into_owned())
                    .ok()
                    .filter(|text| !text.contains('\0'))
                    .ok_or_else(|| Error::query(name, "invalid_value", "UTF-8"))
            };
            Ok((text(name)?, text(value)?))
        })
        .collect()
}

/// Refuses parameters the operation does not declare, texts longer than it declares, and what is
/// neither yes nor no where it declares one of them. What else a value must be is the operation's
/// to judge: it has the types.
///
/// # Errors
/// The first one that is not known, or not what is declared.
pub fn check(operation: &Operation, query: &[(String, String)]) -> Result<(), Error> {
    for (name, value) in query {
        let declared = operation.query.iter().find(|(known, ..)| known == name);
        let Some((_, schema, _)) = declared else {
            continue;
        };
        let kind = schema.get("type").and_then(|kind| kind.as_str());
        if kind == Some("boolean") && !matches!(value.as_str(), "true" | "false") {
            return Err(Error::query(name, "invalid_value", "true or false"));
        }
        let longest = schema.get("maxLength").and_then(|most| most.as_u64());
        let longest = longest.and_then(|longest| usize::try_from(longest).ok());
        if let Some(longest) = longest
            && value.chars().count() > longest
        {
            let detail = format!("at most {longest} characters");
            return Err(Error::query(name, "invalid_value", detail));
        }
    }
    let known = |name: &str| {
        operation
            .query
            .iter()
            .any(|(declared, ..)| match declared.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => declared == name,
            })
    };
    match query.iter().find(|(name, _)| !known(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let declared: Vec<&str> = operation
                .query
                .iter()
                .map(|(name, ..)| name.as_str())
                .collect();
            Err(Error::query(name, "unknown_parameter", declared.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::http::test_support::operation;

    #[test]
    fn names_and_values_are_decoded_in_order() {
        let decoded =
            decode("status=new&title[contains]=a+b%26c&title%5Beq%5D=%C3%A9&flag&").expect("valid");
        let expected = [
            ("status", "new"),
            ("title[contains]", "a b&c"),
            ("title[eq]", "é"),
            ("flag", ""),
        ];
        assert_eq!(decoded, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert!(decode("").expect("valid").is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        for query in ["q=%FF", "%C3=1", "q=%00"] {
            assert!(
                matches!(decode(query), Err(Error::BadQuery { .. })),
                "{query}"
            );
        }
    }

    #[test]
    fn an_undeclared_parameter_is_named() {
        let mut list = operation("ticket_list", Method::GET, "/tickets");
        let declared = |name: &str| (name.to_owned(), json!({}), String::new());
        list.query = vec![declared("limit"), declared("status*")];
        let query = |name: &str| vec![(name.to_owned(), String::new())];
        assert!(check(&list, &query("limit")).is_ok());
        assert!(check(&list, &query("status[in]")).is_ok());
        let refused = check(&list, &query("limits"));
        assert!(
            matches!(refused, Err(Error::BadQuery { parameter, code: "unknown_parameter", .. }) if parameter == "limits")
        );
        list.query = vec![declared("*")];
        assert!(check(&list, &query("anything")).is_ok());
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_named() {
        let mut list = operation("ticket_list", Method::GET, "/tickets");
        let flag = (
            "total".to_owned(),
            json!({"type": "boolean"}),
            String::new(),
        );
        list.query = vec![flag];
        let query = |value: &str| vec![("total".to_owned(), value.to_owned())];
        assert!(check(&list, &query("true")).is_ok());
        assert!(check(&list, &query("false")).is_ok());
        for wrong in ["", "null", "1", "True"] {
            assert!(check(&list, &query(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_longer_than_declared_is_named() {
        let mut search = operation("search", Method::GET, "/search");
        search.query = vec![(
            "q".to_owned(),
            json!({"type": "string", "maxLength": 5}),
            String::new(),
        )];
        let query = |value: &str| vec![("q".to_owned(), value.to_owned())];
        assert!(check(&search, &query("éèàçù")).is_ok());
        let refused = check(&search, &query("éèàçùx"));
        assert!(
            matches!(refused, Err(Error::BadQuery { parameter, code: "invalid_value", .. }) if parameter == "q")
        );
    }
}
