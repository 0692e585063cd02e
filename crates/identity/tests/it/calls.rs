//! Calls that go the way the server sends them, and what they answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use opsflux_records::{Body, Call, Error, Language, Needs, Operation, Origin};
use serde_json::{Value as Json, json};

use crate::house::House;

/// What an operation answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub json: Json,
}

impl Answer {
    pub fn text(&self, name: &str) -> String {
        self.json[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {}", self.json))
            .to_owned()
    }

    /// Value of a cookie that is set.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self
            .headers
            .iter()
            .filter(|(header, _)| header == "set-cookie");
        set.filter_map(|(_, value)| value.to_str().ok()?.split(';').next()?.split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    }
}

impl House {
    fn operation(&self, method: &Method, path: &str) -> (Operation, Vec<String>) {
        let split = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let wanted = split(path);
        for operation in self.identity.operations() {
            let declared = split(&operation.path);
            let fits = declared.len() == wanted.len()
                && declared
                    .iter()
                    .zip(&wanted)
                    .all(|(d, w)| d == w || d.starts_with('{'));
            if fits && operation.method == *method {
                let values = declared
                    .iter()
                    .zip(wanted)
                    .filter(|(d, _)| d.starts_with('{'));
                return (operation.clone(), values.map(|(_, w)| w).collect());
            }
        }
        panic!("nothing is served at {method} {path}");
    }

    /// A call as the server makes it: who asks, is it allowed, the handler.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &Headers,
        body: Option<Json>,
    ) -> Result<Answer, Error> {
        let (operation, values) = self.operation(&method, path);
        let origin = Arc::new(headers.origin.clone());
        let resolved = self.identity.resolve(&headers.map, &method, &origin).await;
        let caller = match resolved {
            Err(Error::Forbidden { .. }) if operation.needs == Needs::Nothing => None,
            other => other?,
        };
        if operation.needs != Needs::Nothing && caller.is_none() {
            return Err(Error::Unauthenticated);
        }
        let call = Call {
            caller,
            origin,
            language: Language::Fr,
            operation: format!("{method} {path}"),
            path: values,
            query: Vec::new(),
            headers: headers.map.clone(),
            body: body.map_or_else(Bytes::new, |body| body.to_string().into()),
            upload: None,
        };
        let reply = (operation.handler)(call).await?;
        let json = match reply.body {
            Body::Json(bytes) => serde_json::from_slice(&bytes).unwrap(),
            _ => Json::Null,
        };
        if reply.status != StatusCode::NO_CONTENT {
            assert_eq!(reply.status, operation.output.0, "an undocumented status");
        }
        Ok(Answer {
            status: reply.status,
            headers: reply.headers,
            json,
        })
    }

    pub async fn post(&self, path: &str, headers: &Headers, body: Json) -> Result<Answer, Error> {
        self.call(Method::POST, path, headers, Some(body)).await
    }

    pub async fn get(&self, path: &str, headers: &Headers) -> Result<Answer, Error> {
        self.call(Method::GET, path, headers, None).await
    }

    /// Signs in; panics when it does not work.
    pub async fn sign_in(&self, email: &str, password: &str) -> Tokens {
        self.try_sign_in(email, password, &Headers::none())
            .await
            .unwrap()
    }

    pub async fn try_sign_in(
        &self,
        email: &str,
        password: &str,
        headers: &Headers,
    ) -> Result<Tokens, Error> {
        let body = json!({"email": email, "password": password});
        let answer = self.post("/auth/login", headers, body).await?;
        Ok(Tokens {
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
        })
    }

    pub async fn refresh(&self, token: &str) -> Result<Tokens, Error> {
        let body = json!({"refresh_token": token});
        let answer = self.post("/auth/refresh", &Headers::none(), body).await?;
        Ok(Tokens {
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
        })
    }
}

/// What a client keeps.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// Headers of a request, and where it comes from.
#[derive(Debug, Clone)]
pub struct Headers {
    pub map: HeaderMap,
    pub origin: Origin,
}

impl Headers {
    pub fn none() -> Headers {
        Headers::from("192.0.2.1")
    }

    pub fn from(address: &str) -> Headers {
        let origin = Origin {
            source: "api".to_owned(),
            address: Some(address.to_owned()),
            user_agent: Some("check/1.0 (a test)".to_owned()),
            ..Origin::default()
        };
        Headers {
            map: HeaderMap::new(),
            origin,
        }
    }

    pub fn bearer(token: &str) -> Headers {
        Headers::none().with("authorization", &format!("Bearer {token}"))
    }

    pub fn browser(cookies: &[(&str, &str)]) -> Headers {
        let cookies: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let headers = Headers::none().with("x-requested-with", "opsflux");
        if cookies.is_empty() {
            headers
        } else {
            headers.with("cookie", &cookies.join("; "))
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Headers {
        self.map.append(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
        self
    }
}

/// The fields a refused write names, with their codes.
pub fn wrong_fields(error: Error) -> Vec<(String, String)> {
    match error {
        Error::Invalid(errors) => errors.into_iter().map(|e| (e.field, e.code)).collect(),
        other => panic!("{other:?} names no fields"),
    }
}
