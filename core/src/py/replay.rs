//! django_rivet._core.parse_requests, for tests. Documented in python/django_rivet/_core.pyi.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::http::Limits;
use crate::http::replay::{Ending, replay};

/// The requests that the engine would read from these bytes, and what it would make of the rest.
#[pyfunction]
#[pyo3(signature = (data, limits=None))]
pub fn parse_requests<'py>(
    py: Python<'py>,
    data: &[u8],
    limits: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyList>> {
    let mut bounds = Limits::default();
    if let Some(limits) = limits {
        for (name, value) in limits {
            match name.extract::<String>()?.as_str() {
                "head" => bounds.head = value.extract()?,
                "fields" => bounds.fields = value.extract()?,
                "target" => bounds.target = value.extract()?,
                other => return Err(PyValueError::new_err(format!("there is no limit {other}"))),
            }
        }
    }
    let (requests, ending) = replay(data, &bounds);
    let list = PyList::empty(py);
    let bytes = |data: &[u8]| PyBytes::new(py, data);
    for request in requests {
        let item = PyDict::new(py);
        item.set_item("method", bytes(&request.method))?;
        item.set_item("target", bytes(&request.target))?;
        item.set_item("path", bytes(&request.path))?;
        item.set_item("query", request.query.as_deref().map(bytes))?;
        item.set_item("host", bytes(&request.host))?;
        item.set_item("version", format!("1.{}", request.minor))?;
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| (bytes(name), bytes(value))).collect();
        item.set_item("headers", headers)?;
        item.set_item("body", bytes(&request.body))?;
        item.set_item("keep_alive", request.keep_alive)?;
        item.set_item("expect_continue", request.expect_continue)?;
        item.set_item("websocket", request.websocket)?;
        list.append(item)?;
    }
    let last = PyDict::new(py);
    match ending {
        Ending::Complete => return Ok(list),
        Ending::Incomplete => last.set_item("incomplete", true)?,
        Ending::Refused(refusal) => {
            last.set_item("error", refusal.status)?;
            last.set_item("reason", refusal.reason)?;
        }
    }
    list.append(last)?;
    Ok(list)
}
