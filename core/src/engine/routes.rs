//! Native routes: exact paths by a table, patterns by a radix tree.

use pyo3::prelude::*;
use std::collections::HashMap;
use std::rc::Rc;

use super::native::Handler;
use crate::http::head::Method;
use crate::py::render::PlainValues;

/// What one path answers to, by method.
#[derive(Default)]
pub struct Entry {
    handlers: Vec<(Method, String, Rc<Handler>)>,
    websocket: Option<Rc<Handler>>,
}

impl Entry {
    pub fn handler(&self, method: Method, name: &[u8]) -> Option<&Rc<Handler>> {
        let find = |method: Method, name: &[u8]| {
            let found = self
                .handlers
                .iter()
                .find(|(each, text, _)| *each == method && (method != Method::Other || text.as_bytes() == name));
            found.map(|(_, _, handler)| handler)
        };
        // HEAD is answered as GET, without the body (RFC 9110 9.3.2).
        find(method, name).or_else(|| if method == Method::Head { find(Method::Get, b"GET") } else { None })
    }

    pub fn has_websocket(&self) -> bool {
        self.websocket.is_some()
    }

    /// The value of Allow (RFC 9110 10.2.1).
    pub fn allow(&self) -> String {
        let mut names: Vec<&str> = self.handlers.iter().map(|(_, name, _)| name.as_str()).collect();
        if names.contains(&"GET") && !names.contains(&"HEAD") {
            names.push("HEAD");
        }
        if !names.contains(&"OPTIONS") {
            names.push("OPTIONS");
        }
        names.join(", ")
    }
}

/// What a path gave for the names in its pattern.
pub type Params = Vec<(String, String)>;

#[derive(Default)]
pub struct Routes {
    exact: HashMap<Vec<u8>, Entry>,
    patterns: matchit::Router<Entry>,
    any_pattern: bool,
}

/// A path's entry, and what stands where its pattern has names.
pub struct Found<'a> {
    pub entry: &'a Entry,
    values: Vec<String>,
}

impl Found<'_> {
    pub fn params(self, handler: &Handler) -> Params {
        handler.names.iter().cloned().zip(self.values).collect()
    }

    pub fn websocket(self) -> Option<(Rc<Handler>, Params)> {
        let handler = Rc::clone(self.entry.websocket.as_ref()?);
        let params = self.params(&handler);
        Some((handler, params))
    }
}

/// A pattern with numbers for its names, so that routes of one path may name its parts as they like; and the names.
pub fn canonical(pattern: &str) -> (String, Vec<String>) {
    let mut names = Vec::new();
    let mut path = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        path.push_str(&format!("{before}{{{}}}", names.len()));
        names.push(name.to_owned());
        rest = after;
    }
    path.push_str(rest);
    (path, names)
}

impl Routes {
    /// # Errors
    /// What is wrong with the pattern, in words.
    pub fn build(table: Vec<(String, String, Rc<Handler>)>) -> Result<Self, String> {
        let mut entries: HashMap<String, Entry> = HashMap::new();
        for (method, path, handler) in table {
            let entry = entries.entry(canonical(&path).0).or_default();
            let taken = |earlier: &&(Method, String, Rc<Handler>)| earlier.1 == method;
            if entry.handlers.iter().find(taken).is_some() || (method == "WEBSOCKET" && entry.websocket.is_some()) {
                return Err(format!("{method} {path} is declared twice"));
            }
            if method == "WEBSOCKET" {
                entry.websocket = Some(handler);
            } else {
                entry.handlers.push((Method::of(method.as_bytes()), method, handler));
            }
        }
        let mut routes = Self::default();
        for (path, entry) in entries {
            if path.contains('{') {
                routes.patterns.insert(&path, entry).map_err(|error| format!("{path}: {error}"))?;
                routes.any_pattern = true;
            } else {
                routes.exact.insert(path.into_bytes(), entry);
            }
        }
        Ok(routes)
    }

    /// The entry of a path as it was sent.
    pub fn find(&self, path: &[u8]) -> Option<Found<'_>> {
        if let Some(entry) = self.exact.get(path) {
            return Some(Found { entry, values: Vec::new() });
        }
        let escaped = memchr::memchr(b'%', path).is_some();
        if escaped && let Some(entry) = self.exact.get(&*crate::http::target::percent_decode(path)) {
            return Some(Found { entry, values: Vec::new() });
        }
        if !self.any_pattern {
            return None;
        }
        // Matched as sent, so that an escaped slash stays within its parameter; then each value is decoded.
        let text = std::str::from_utf8(path).ok()?;
        let found = self.patterns.at(text).ok()?;
        let decode =
            |value: &str| String::from_utf8(crate::http::target::percent_decode(value.as_bytes()).into_owned());
        let values: Result<Vec<_>, _> = found.params.iter().map(|(_, value)| decode(value)).collect();
        Some(Found { entry: found.value, values: values.ok()? })
    }
}

/// The pieces of a route from Python: method, path, handler, kind, and who settles what is no plain answer.
#[derive(FromPyObject)]
pub enum Given {
    Plain(String, String, Py<PyAny>, String),
    Settled(String, String, Py<PyAny>, String, Py<PyAny>),
    Limited(String, String, Py<PyAny>, String, Py<PyAny>, Limits),
}

/// What a route has instead of the server's options, and what it returns.
#[derive(FromPyObject, Default)]
#[pyo3(from_item_all)]
pub struct Limits {
    pub max_body: Option<u64>,
    /// Seconds; 0: any.
    pub timeout: f64,
    /// As `Engine::name_codings` takes it.
    pub compression: String,
    pub plain: PlainValues,
}

impl Given {
    pub fn parts(self) -> (String, String, Py<PyAny>, String, Option<Py<PyAny>>, Limits) {
        match self {
            Self::Plain(method, path, handler, kind) => (method, path, handler, kind, None, Limits::default()),
            Self::Settled(method, path, handler, kind, settle) => {
                (method, path, handler, kind, Some(settle), Limits::default())
            }
            Self::Limited(method, path, handler, kind, settle, limits) => {
                (method, path, handler, kind, Some(settle), limits)
            }
        }
    }
}
