//! Steps of a coroutine without a Task.

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::engine::panics::caught;

pub enum Step<'py> {
    Returned(Bound<'py, PyAny>),
    Yielded(Bound<'py, PyAny>),
}

/// `coroutine.send(None)`, without an exception for its return value.
///
/// # Errors
/// What the coroutine raises.
pub fn step<'py>(coroutine: &Bound<'py, PyAny>) -> PyResult<Step<'py>> {
    let py = coroutine.py();
    let mut result = std::ptr::null_mut();
    // SAFETY: the GIL is held, both pointers are valid, and `result` is a new reference whenever one is written.
    unsafe {
        match ffi::PyIter_Send(coroutine.as_ptr(), ffi::Py_None(), &mut result) {
            ffi::PySendResult::PYGEN_RETURN => Ok(Step::Returned(Bound::from_owned_ptr(py, result))),
            ffi::PySendResult::PYGEN_NEXT => Ok(Step::Yielded(Bound::from_owned_ptr(py, result))),
            ffi::PySendResult::PYGEN_ERROR => caught(|| Err(PyErr::fetch(py))),
        }
    }
}

/// Runs a coroutine that cannot suspend.
///
/// # Errors
/// What the coroutine raises; RuntimeError when it suspends all the same.
pub fn to_end<'py>(coroutine: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match step(coroutine)? {
        Step::Returned(value) => Ok(value),
        Step::Yielded(_) => {
            coroutine.call_method0("close")?;
            Err(PyRuntimeError::new_err("a coroutine without `await` has suspended"))
        }
    }
}
