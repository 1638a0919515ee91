//! What a native handler returns, as an answer.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

pub struct Rendered {
    pub status: u16,
    pub content_type: &'static [u8],
    pub body: Py<PyBytes>,
}

/// Which values that are no JSON a route answers: `PlainValues` in `api/plain.py`.
#[derive(Clone, Copy, FromPyObject)]
#[pyo3(from_item_all)]
pub struct PlainValues {
    pub text: bool,
    pub bytes: bool,
    pub none: bool,
}

impl Default for PlainValues {
    fn default() -> Self {
        Self { text: true, bytes: true, none: true }
    }
}

const JSON: &[u8] = b"application/json";
const TEXT: &[u8] = b"text/plain; charset=utf-8";
const BINARY: &[u8] = b"application/octet-stream";

impl Rendered {
    /// dict, list, Struct and whatever else msgspec (`encode`) knows: JSON; str: text; bytes: as they are; None: 204.
    /// The last three only where they are `plain`, else None.
    ///
    /// # Errors
    /// TypeError when msgspec cannot encode the value.
    pub fn from_value(
        py: Python<'_>,
        encode: &Py<PyAny>,
        plain: PlainValues,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<Option<Self>> {
        let answer =
            |status, content_type, body: Bound<'_, PyBytes>| Some(Self { status, content_type, body: body.unbind() });
        if !(value.is_exact_instance_of::<PyDict>() || value.is_exact_instance_of::<PyList>()) {
            if let Ok(bytes) = value.cast::<PyBytes>() {
                return Ok(if plain.bytes { answer(200, BINARY, bytes.clone()) } else { None });
            }
            if let Ok(text) = value.cast::<PyString>() {
                if !plain.text {
                    return Ok(None);
                }
                return Ok(answer(200, TEXT, PyBytes::new(py, text.to_str()?.as_bytes())));
            }
            if value.is_none() {
                return Ok(if plain.none { answer(204, b"", PyBytes::new(py, b"")) } else { None });
            }
        }
        let encoded = encode.bind(py).call1((value,))?;
        Ok(answer(200, JSON, encoded.cast_into::<PyBytes>()?))
    }
}
