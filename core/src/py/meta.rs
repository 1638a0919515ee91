//! HttpRequest.META, with the keys and values of Django's ASGIRequest.
//! https://docs.djangoproject.com/en/6.1/ref/request-response/#django.http.HttpRequest.META

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::cell::RefCell;
use std::collections::HashMap;

use crate::engine::shared::Shared;

/// Names that peers send again and again; bounded, as it is they who choose them.
const NAMES: usize = 512;

thread_local! {
    static KEYS: RefCell<HashMap<Box<[u8]>, Py<PyString>>> = RefCell::new(HashMap::new());
}

/// HTTP_X for the field X, or None for a name with an underscore: it could pass for another one
/// (https://www.djangoproject.com/weblog/2015/jan/13/security/).
fn key<'py>(py: Python<'py>, name: &[u8]) -> Option<Bound<'py, PyString>> {
    KEYS.with_borrow_mut(|keys| {
        if let Some(key) = keys.get(name) {
            return Some(key.bind(py).clone());
        }
        if name.contains(&b'_') {
            return None;
        }
        let upper: String =
            name.iter().map(|&byte| if byte == b'-' { '_' } else { char::from(byte.to_ascii_uppercase()) }).collect();
        let text = match upper.as_str() {
            "CONTENT_TYPE" | "CONTENT_LENGTH" => upper,
            _ => format!("HTTP_{upper}"),
        };
        let key = PyString::intern(py, &text);
        if keys.len() < NAMES && name.len() <= 64 {
            keys.insert(name.into(), key.clone().unbind());
        }
        Some(key)
    })
}

pub fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyString> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => PyString::new(py, text),
        _ => PyString::new(py, &bytes.iter().map(|&byte| char::from(byte)).collect::<String>()),
    }
}

pub fn meta<'py>(py: Python<'py>, shared: &Shared, path: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyDict>> {
    use pyo3::intern;
    let meta = PyDict::new(py);
    let method = shared.of(shared.head.method_span);
    meta.set_item(intern!(py, "REQUEST_METHOD"), latin1(py, method))?;
    meta.set_item(intern!(py, "QUERY_STRING"), latin1(py, shared.of(shared.head.query)))?;
    meta.set_item(intern!(py, "SCRIPT_NAME"), intern!(py, ""))?;
    meta.set_item(intern!(py, "PATH_INFO"), path)?;
    meta.set_item(intern!(py, "wsgi.multithread"), true)?;
    meta.set_item(intern!(py, "wsgi.multiprocess"), true)?;
    if let Some((host, port)) = shared.client() {
        let host = PyString::new(py, &host);
        meta.set_item(intern!(py, "REMOTE_ADDR"), &host)?;
        meta.set_item(intern!(py, "REMOTE_HOST"), &host)?;
        meta.set_item(intern!(py, "REMOTE_PORT"), port)?;
    }
    let (server, port) = &shared.server;
    meta.set_item(intern!(py, "SERVER_NAME"), server)?;
    meta.set_item(intern!(py, "SERVER_PORT"), port.map_or_else(|| String::from("0"), |port| port.to_string()))?;
    for (name, value) in &shared.head.fields {
        let name = shared.of(*name);
        let Some(key) = key(py, name) else { continue };
        let cookie = name.eq_ignore_ascii_case(b"cookie");
        let mut value = shared.of(*value);
        // As ASGIRequest: some clients end a cookie with a semicolon.
        while let (true, [rest @ .., b';' | b' ']) = (cookie, value) {
            value = rest;
        }
        let value = latin1(py, value);
        if let Some(earlier) = meta.get_item(&key)? {
            let joined = format!("{}{}{}", earlier.str()?.to_str()?, if cookie { "; " } else { "," }, value.to_str()?);
            meta.set_item(key, joined)?;
        } else {
            meta.set_item(key, value)?;
        }
    }
    Ok(meta)
}
