//! Which operation answers which address.

use http::Method;
use matchit::Router;
use opsflux_records::Operation;
use percent_encoding::percent_decode_str;

use crate::metrics::{Meter, Metrics};

/// Every operation that is served, found by path and method.
pub struct Registry {
    by_path: Router<usize>,
    paths: Vec<ServedPath>,
}

/// One path with what can be done there.
struct ServedPath {
    methods: Vec<Mounted>,
    allow: String,
}

/// One operation as it is served.
pub struct Mounted {
    /// As declared.
    pub operation: Operation,
    /// Counts its calls.
    pub meter: Meter,
}

/// What stands at an address.
pub enum Found<'a> {
    /// This operation, with the values of the path's parameters.
    Operation(&'a Mounted, Vec<String>),
    /// Others, for these methods.
    OtherMethods(&'a str),
    /// Nothing.
    Nothing,
    /// The path holds bytes that are no text.
    NotText,
}

/// Operations that cannot all be served.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Two have the same name.
    #[error("two operations are called {0}")]
    SameName(String),
    /// Two stand at the same address.
    #[error("{method} {path} is served by {first} and by {second}")]
    SameAddress {
        /// The method.
        method: Method,
        /// The path.
        path: String,
        /// Name of one.
        first: String,
        /// Name of the other.
        second: String,
    },
    /// A path that cannot be told from another one, or is no path.
    #[error("the path {path} of {name} cannot be served: {reason}")]
    Path {
        /// The path.
        path: String,
        /// Name of the operation.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Registry {
    /// Mounts all operations.
    ///
    /// # Errors
    /// The first two that stand in each other's way.
    pub fn new(operations: Vec<Operation>, metrics: &Metrics) -> Result<Registry, RegistryError> {
        let mut registry = Registry {
            by_path: Router::new(),
            paths: Vec::new(),
        };
        let mut names = std::collections::HashSet::new();
        let mut places = std::collections::HashMap::new();
        for operation in operations {
            if !names.insert(operation.name.clone()) {
                return Err(RegistryError::SameName(operation.name));
            }
            let place = match places.get(&operation.path) {
                Some(place) => *place,
                None => {
                    let place = registry.add_path(&operation)?;
                    places.insert(operation.path.clone(), place);
                    place
                }
            };
            registry.add_method(place, operation, metrics)?;
        }
        Ok(registry)
    }

    fn add_path(&mut self, operation: &Operation) -> Result<usize, RegistryError> {
        let place = self.paths.len();
        self.by_path
            .insert(operation.path.clone(), place)
            .map_err(|error| RegistryError::Path {
                path: operation.path.clone(),
                name: operation.name.clone(),
                reason: error.to_string(),
            })?;
        self.paths.push(ServedPath {
            methods: Vec::new(),
            allow: String::new(),
        });
        Ok(place)
    }

    fn add_method(
        &mut self,
        place: usize,
        operation: Operation,
        metrics: &Metrics,
    ) -> Result<(), RegistryError> {
        let Some(path) = self.paths.get_mut(place) else {
            return Ok(());
        };
        if let Some(other) = path
            .methods
            .iter()
            .find(|m| m.operation.method == operation.method)
        {
            return Err(RegistryError::SameAddress {
                method: operation.method,
                path: operation.path,
                first: other.operation.name.clone(),
                second: operation.name,
            });
        }
        let meter = metrics.meter(&operation.name);
        path.methods.push(Mounted { operation, meter });
        let mut allow: Vec<&str> = path
            .methods
            .iter()
            .map(|m| m.operation.method.as_str())
            .collect();
        if allow.contains(&"GET") {
            allow.push("HEAD");
        }
        path.allow = allow.join(", ");
        Ok(())
    }

    /// What stands at `path` (without `/api/v1`, still encoded) for `method`.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Ok(found) = self.by_path.at(path) else {
            return Found::Nothing;
        };
        let Some(served) = self.paths.get(*found.value) else {
            return Found::Nothing;
        };
        let wanted = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let Some(mounted) = served
            .methods
            .iter()
            .find(|m| m.operation.method == *wanted)
        else {
            return Found::OtherMethods(&served.allow);
        };
        let params: Result<Vec<String>, _> = found
            .params
            .iter()
            .map(|(_, value)| {
                percent_decode_str(value)
                    .decode_utf8()
                    .map(|text| text.into_owned())
            })
            .collect();
        match params {
            Ok(params) => Found::Operation(mounted, params),
            Err(_) => Found::NotText,
        }
    }

    /// Every operation, in the order of mounting within each path.
    pub fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.paths
            .iter()
            .flat_map(|path| path.methods.iter().map(|mounted| &mounted.operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::test_support::operation;

    fn registry(operations: Vec<Operation>) -> Result<Registry, RegistryError> {
        Registry::new(operations, &Metrics::new())
    }

    fn named(registry: &Registry, method: &Method, path: &str) -> String {
        match registry.find(method, path) {
            Found::Operation(mounted, params) => {
                format!("{} {}", mounted.operation.name, params.join("|"))
            }
            Found::OtherMethods(allow) => format!("allow {allow}"),
            Found::Nothing => "nothing".to_owned(),
            Found::NotText => "not text".to_owned(),
        }
    }

    fn tickets() -> Registry {
        registry(vec![
            operation("ticket_list", Method::GET, "/tickets"),
            operation("ticket_create", Method::POST, "/tickets"),
            operation("ticket_bulk", Method::POST, "/tickets/bulk"),
            operation("ticket_get", Method::GET, "/tickets/{id}"),
            operation("ticket_update", Method::PATCH, "/tickets/{id}"),
            operation("ticket_comments", Method::GET, "/tickets/{ticket}/comments"),
            operation(
                "value_update",
                Method::PATCH,
                "/kpis/{id}/values/{value_id}",
            ),
        ])
        .unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_word_wins_over_a_parameter() {
        let tickets = tickets();
        assert_eq!(
            named(&tickets, &Method::POST, "/tickets/bulk"),
            "ticket_bulk "
        );
        assert_eq!(
            named(&tickets, &Method::GET, "/tickets/TIC-1"),
            "ticket_get TIC-1"
        );
        assert_eq!(
            named(&tickets, &Method::GET, "/tickets/a/comments"),
            "ticket_comments a"
        );
        assert_eq!(
            named(&tickets, &Method::PATCH, "/kpis/k/values/v"),
            "value_update k|v"
        );
    }

    #[test]
    fn other_methods_are_named_and_head_is_a_get() {
        let tickets = tickets();
        assert_eq!(
            named(&tickets, &Method::DELETE, "/tickets"),
            "allow GET, POST, HEAD"
        );
        assert_eq!(named(&tickets, &Method::GET, "/tickets/bulk"), "allow POST");
        assert_eq!(named(&tickets, &Method::HEAD, "/tickets"), "ticket_list ");
        assert_eq!(named(&tickets, &Method::GET, "/nowhere"), "nothing");
        assert_eq!(named(&tickets, &Method::GET, "/tickets/"), "nothing");
    }

    #[test]
    fn parameters_are_decoded_and_must_be_text() {
        let tickets = tickets();
        assert_eq!(
            named(&tickets, &Method::GET, "/tickets/a%2Fb%C3%A9"),
            "ticket_get a/bé"
        );
        assert_eq!(named(&tickets, &Method::GET, "/tickets/%FF"), "not text");
    }

    #[test]
    fn two_operations_never_share_a_name_or_an_address() {
        let same_name = registry(vec![
            operation("a", Method::GET, "/a"),
            operation("a", Method::GET, "/b"),
        ]);
        assert!(matches!(same_name, Err(RegistryError::SameName(name)) if name == "a"));
        let same_address = registry(vec![
            operation("a", Method::GET, "/x/{id}"),
            operation("b", Method::GET, "/x/{id}"),
        ]);
        assert!(matches!(
            same_address,
            Err(RegistryError::SameAddress { .. })
        ));
        let alike = registry(vec![
            operation("a", Method::GET, "/x/{id}"),
            operation("b", Method::GET, "/x/{number}"),
        ]);
        assert!(matches!(
            alike,
            Err(RegistryError::Path { .. } | RegistryError::SameAddress { .. })
        ));
    }
}
