//! What Python reads of a head: the same of a request and of a WebSocket's handshake.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use super::meta::latin1;
use crate::engine::shared::Shared;
use crate::http::target::decode_path;

impl Shared {
    pub fn path<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &decode_path(self.of(self.head.path)))
    }

    pub fn raw_path<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.of(self.head.path))
    }

    pub fn query_string<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.of(self.head.query))
    }

    /// ASGI's headers: pairs of bytes, names in lower case.
    pub fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for (name, value) in &self.head.fields {
            let name = PyBytes::new(py, &self.of(*name).to_ascii_lowercase());
            list.append(PyTuple::new(py, [name, PyBytes::new(py, self.of(*value))])?)?;
        }
        Ok(list)
    }

    pub fn header<'py>(&self, py: Python<'py>, name: &str) -> Option<Bound<'py, PyString>> {
        self.joined(name.to_ascii_lowercase().as_bytes()).map(|value| latin1(py, &value))
    }

    /// The client's address: the one that trusted proxies tell, else the peer's own.
    pub fn client(&self) -> Option<(String, u16)> {
        match (self.forwarded, self.peer) {
            (Some(address), _) => Some((address.to_string(), 0)),
            (None, Some(peer)) => Some((peer.ip().to_string(), peer.port())),
            (None, None) => None,
        }
    }

    /// For messages: bytes that are no text are replaced.
    pub fn method_and_target(&self) -> (String, String) {
        let text = |span| String::from_utf8_lossy(self.of(span)).into_owned();
        (text(self.head.method_span), text(self.head.target))
    }
}
