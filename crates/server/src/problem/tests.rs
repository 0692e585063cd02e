//! What a refusal looks like from outside.

use std::collections::BTreeMap;

use opsflux_model::Schema;
use opsflux_model::schema::Module;

use opsflux_records::ConflictKind;

use super::*;

fn words() -> Words {
    let errors = json!({"errors": {
        "desk.open_children_one": "{{count}} sous-ticket est encore ouvert.",
        "desk.open_children_other": "{{count}} sous-tickets sont encore ouverts.",
    }});
    let module = Module {
        name: "desk".to_owned(),
        words: BTreeMap::from([("fr".to_owned(), errors)]),
        ..Module::default()
    };
    Words::new(&Schema::new(Vec::new(), vec![module], BTreeMap::new())).expect("words")
}

fn told(error: &Error, language: Language) -> Json {
    let words = words();
    let telling = Telling {
        words: &words,
        language,
        instance: "/api/v1/tickets",
        request_id: "r-1",
    };
    serde_json::from_slice(&Problem::from(error).document(&telling)).expect("JSON")
}

fn count(count: u64) -> Map<String, Json> {
    Map::from_iter([("count".to_owned(), count.into())])
}

#[test]
fn every_wrong_field_is_named_in_the_language_of_the_caller() {
    let error = Error::Invalid(vec![
        FieldError::new("title", "too_long", "200"),
        FieldError::new("done", "wrong_type", "true or false"),
        FieldError::new("x", "never_heard_of", ""),
    ]);
    let french = told(&error, Language::Fr);
    assert_eq!(french["status"], 422);
    assert_eq!(french["type"], "/problems/invalid");
    assert_eq!(french["instance"], "/api/v1/tickets");
    assert_eq!(french["request_id"], "r-1");
    assert_eq!(french["errors"][0]["message"], "Au plus 200 caractères.");
    assert_eq!(french["errors"][1]["message"], "Attendu : oui ou non.");
    assert_eq!(french["errors"][2]["message"], "Non valide.");
    assert_eq!(
        told(&error, Language::En)["errors"][0]["message"],
        "At most 200 characters."
    );
}

#[test]
fn an_old_version_brings_the_record_as_it_is_digit_by_digit() {
    let current = br#"{"id":"1","cost":0.10000000000000000001}"#.to_vec();
    let error = Error::Precondition {
        version: 7,
        current,
    };
    let problem = Problem::from(&error);
    assert_eq!(problem.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(problem.headers[header::ETAG], "\"7\"");
    let words = words();
    let telling = Telling {
        words: &words,
        language: Language::En,
        instance: "/x",
        request_id: "r",
    };
    let text = String::from_utf8(problem.document(&telling)).expect("text");
    assert!(
        text.contains(r#""current":{"id":"1","cost":0.10000000000000000001}"#),
        "{text}"
    );
    assert!(serde_json::from_str::<Json>(&text).is_ok());
}

#[test]
fn a_bulk_names_the_operation_and_says_what_is_wrong_with_it() {
    let inner = Error::Invalid(vec![FieldError::new("title", "required", "")]);
    let told = told(
        &Error::Bulk {
            index: 3,
            error: Box::new(inner),
        },
        Language::En,
    );
    assert_eq!(told["status"], 422);
    assert_eq!(told["index"], 3);
    assert_eq!(told["problem"]["type"], "/problems/invalid");
    assert_eq!(told["errors"][0]["field"], "operations[3].data.title");
}

#[test]
fn a_bulk_whose_operation_is_not_found_is_still_422() {
    let told = told(
        &Error::Bulk {
            index: 0,
            error: Box::new(Error::NotFound),
        },
        Language::En,
    );
    assert_eq!(
        (told["status"].as_u64(), told["problem"]["status"].as_u64()),
        (Some(422), Some(404))
    );
}

#[test]
fn a_question_carries_its_token_and_the_words_of_the_module() {
    let error = Error::Conflict(ConflictKind::Confirm {
        code: "desk.open_children".to_owned(),
        params: count(2),
        token: "t".to_owned(),
    });
    let told = told(&error, Language::Fr);
    assert_eq!(told["status"], 409);
    assert_eq!(told["type"], "/problems/confirmation_required");
    assert_eq!(told["confirm_token"], "t");
    assert_eq!(told["detail"], "2 sous-tickets sont encore ouverts.");
}

#[test]
fn a_refusal_of_a_rule_is_422_at_its_field_and_409_without_one() {
    let refused = |field: Option<&str>| Error::Refused {
        code: "desk.open_children".to_owned(),
        params: count(1),
        field: field.map(str::to_owned),
    };
    let at_field = told(&refused(Some("status")), Language::Fr);
    assert_eq!(at_field["status"], 422);
    assert_eq!(at_field["errors"][0]["field"], "status");
    let alone = told(&refused(None), Language::Fr);
    assert_eq!(alone["status"], 409);
    assert_eq!(alone["detail"], "1 sous-ticket est encore ouvert.");
}

#[test]
fn conflicts_carry_what_a_program_needs_to_go_on() {
    let state = ConflictKind::State {
        field: "status".to_owned(),
        allowed: vec!["todo".to_owned(), "done".to_owned()],
    };
    let state = told(&Error::Conflict(state), Language::En);
    assert_eq!(state["allowed"], json!(["todo", "done"]));
    let unique = ConflictKind::Unique {
        fields: vec!["email".to_owned()],
    };
    let unique = told(&Error::Conflict(unique), Language::En);
    assert_eq!(unique["errors"][0]["code"], "unique");
    let merge = ConflictKind::Merge(vec![opsflux_records::error::MergeConflict {
        field: "title".to_owned(),
        base: json!("a"),
        yours: json!("b"),
        theirs: json!("c"),
    }]);
    let merge = told(&Error::Conflict(merge), Language::En);
    assert_eq!(
        merge["conflicts"][0],
        json!({"field": "title", "base": "a", "yours": "b", "theirs": "c"})
    );
}

#[test]
fn a_wrong_parameter_is_named_with_why() {
    let told = told(
        &Error::query("sort", "unknown_field", "colour"),
        Language::En,
    );
    assert_eq!(told["status"], 400);
    assert_eq!(told["parameter"], "sort");
    assert_eq!(told["code"], "unknown_field");
    assert_eq!(told["detail"], "sort: there is no such field (colour)");
    let sentence = Error::query("sort", "unknown_field", "there is no field “colour”");
    let french = self::told(&sentence, Language::Fr);
    assert_eq!(french["detail"], "sort : ce champ n’existe pas (colour)");
}

#[test]
fn a_guard_is_told_in_words_with_the_field_it_is_about() {
    let guard = |name: &str| {
        let name = name.to_owned();
        told(&Error::Conflict(ConflictKind::Guard { name }), Language::Fr)
    };
    let ring = guard("parent.acyclic");
    assert_eq!(ring["guard"], "parent.acyclic");
    let said = ring["detail"].as_str().expect("a text");
    assert!(said.starts_with("parent : la fiche"), "{said}");
    let unknown = guard("never.heard");
    assert_eq!(
        unknown["detail"],
        "Ceci n’est plus vrai : never.heard. Rien n’a été enregistré."
    );
}

#[test]
fn no_sentence_is_told_in_two_languages() {
    let body = Error::BadBody("expected value at line 3 column 14".to_owned());
    assert_eq!(
        told(&body, Language::Fr)["detail"],
        "Le contenu n’est pas du JSON valide : ligne 3, colonne 14"
    );
    let other = Error::BadBody("what nobody has translated".to_owned());
    assert_eq!(
        told(&other, Language::Fr)["detail"],
        "Le contenu n’est pas du JSON valide"
    );
    let limit = Error::query("limit", "invalid_value", "1 to 500");
    assert_eq!(
        told(&limit, Language::Es)["detail"],
        "limit: el valor no es válido (de 1 a 500)"
    );
}

#[test]
fn causes_stay_inside() {
    for error in [
        Error::Internal("SELECT secret FROM t".to_owned()),
        Error::Unavailable("postgres://u:secret@h".to_owned()),
    ] {
        assert!(!told(&error, Language::En).to_string().contains("secret"));
        assert!(cause(&error).is_some_and(|cause| cause.contains("secret")));
        assert!(Problem::from(&error).is_ours());
    }
}

#[test]
fn waiting_times_are_told_twice_for_people_and_for_programs() {
    let error = Error::TooMany { retry_after: 1 };
    let problem = Problem::from(&error);
    assert_eq!(problem.headers[header::RETRY_AFTER], "1");
    assert_eq!(
        told(&error, Language::En)["detail"],
        "Try again in 1 second."
    );
    assert!(
        Problem::from(&Error::Unavailable(String::new()))
            .headers
            .contains_key(header::RETRY_AFTER)
    );
}
