//! What imports need of the server: words for what is wrong, and what has other ways in.

use std::sync::Arc;

use opsflux_importing::{Importing, Parts, Said, Saying, Spool};
use opsflux_model::Schema;
use opsflux_records::{Acting, Error, Language, Records};
use parking_lot::Mutex;

use crate::config::Config;
use crate::problem::{Problem, Telling};
use crate::words::Words;

/// Entities that decide who may sign in and what people may do, or that hang on bytes: identity and
/// documents do more around their writes than the pipeline does.
const CLOSED: &[&str] = &[
    "user",
    "membership",
    "role",
    "role_permission",
    "role_field",
    "group_role",
    "grant",
    "file",
    "saved_view",
];

/// Imports, as this server has them.
pub fn importing(
    config: &Config,
    records: &Records,
    spool: Spool,
    acting: Arc<dyn Acting>,
) -> Importing {
    Importing::new(Parts {
        alone: records.store().kind() == "sqlite",
        records: records.clone(),
        spool,
        acting,
        saying: Arc::new(Speaking {
            records: records.clone(),
            words: Mutex::new(None),
        }),
        closed: CLOSED,
        upload_limit: u64::try_from(config.http.upload_limit).unwrap_or(u64::MAX),
    })
}

/// The words of the schema in force.
struct Speaking {
    records: Records,
    words: Mutex<Option<(Arc<Schema>, Arc<Words>)>>,
}

impl Speaking {
    fn words(&self) -> Option<Arc<Words>> {
        let schema = self.records.schema();
        let mut known = self.words.lock();
        if let Some((of, words)) = &*known
            && Arc::ptr_eq(of, &schema)
        {
            return Some(words.clone());
        }
        let words = Arc::new(Words::new(&schema).ok()?);
        *known = Some((schema, words.clone()));
        Some(words)
    }
}

impl Saying for Speaking {
    fn error(&self, language: Language, error: &Error) -> Vec<Said> {
        if let Error::Bulk { error, .. } = error {
            return self.error(language, error);
        }
        let Some(words) = self.words() else {
            return Vec::new();
        };
        let problem = Problem::from(error);
        let telling = Telling {
            words: &words,
            language,
            instance: "",
            request_id: "",
        };
        let members = problem.members(&telling);
        let text = |json: &serde_json::Value, name: &str| {
            json.get(name)
                .and_then(|json| json.as_str())
                .map(str::to_owned)
        };
        let fields = members.get("errors").and_then(|errors| errors.as_array());
        let said: Vec<Said> = fields
            .into_iter()
            .flatten()
            .map(|field| Said {
                field: text(field, "field"),
                code: text(field, "code").unwrap_or_default(),
                message: text(field, "message").unwrap_or_default(),
            })
            .collect();
        if !said.is_empty() {
            return said;
        }
        let detail = members.get("detail").and_then(|detail| detail.as_str());
        vec![Said {
            field: None,
            code: problem.code.to_owned(),
            message: detail.unwrap_or_default().to_owned(),
        }]
    }
}
