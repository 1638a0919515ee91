//! django_rivet._core.parse_query. Documented in python/django_rivet/_core.pyi.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use std::borrow::Cow;

use crate::http::target::percent_decode;

/// As a form is encoded: https://url.spec.whatwg.org/#urlencoded-parsing
fn decode(part: &[u8]) -> Cow<'_, str> {
    if memchr::memchr2(b'%', b'+', part).is_none() {
        return String::from_utf8_lossy(part);
    }
    let spaced: Vec<u8> = part.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    Cow::Owned(String::from_utf8_lossy(&percent_decode(&spaced)).into_owned())
}

#[pyfunction]
pub fn parse_query<'py>(py: Python<'py>, query: &[u8], names: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let values = PyDict::new(py);
    for field in query.split(|&byte| byte == b'&').filter(|field| !field.is_empty()) {
        let split = memchr::memchr(b'=', field).map(|at| field.split_at(at));
        let (name, value) = split.map_or((field, &[][..]), |(name, value)| (name, value.get(1..).unwrap_or_default()));
        let name = PyString::new(py, &decode(name));
        let Some(many) = names.get_item(&name)? else { continue };
        let value = PyString::new(py, &decode(value));
        if !many.is_truthy()? {
            values.set_item(name, value)?;
        } else if let Some(list) = values.get_item(&name)? {
            list.cast_into::<PyList>()?.append(value)?;
        } else {
            values.set_item(name, PyList::new(py, [value])?)?;
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        for (part, text) in [
            (&b""[..], ""),
            (b"plain", "plain"),
            (b"a+b%2Bc%20d", "a b+c d"),
            (b"caf%C3%A9", "caf\u{e9}"),
            (b"%zz%", "%zz%"),
            (b"%FF", "\u{fffd}"),
        ] {
            assert_eq!(decode(part), text);
        }
    }
}
