//! A context of its own for each request, so that no context variable reaches the next one.
//! https://docs.python.org/3/library/contextvars.html

use pyo3::ffi;
use pyo3::prelude::*;

use crate::engine::panics::caught;

/// A copy of the thread's context; costs the same however much is in it.
pub fn copy(py: Python<'_>) -> Bound<'_, PyAny> {
    // SAFETY: the GIL is held; the call returns a new reference (or null, which becomes None's place below).
    let context = unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyContext_CopyCurrent()) };
    context.unwrap_or_else(|| py.None().into_bound(py))
}

/// A copy of this context.
pub fn copy_of<'py>(context: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the GIL is held and the pointer is valid; PyContext_Copy itself checks that it is a context.
    unsafe { Bound::from_owned_ptr_or_err(context.py(), ffi::PyContext_Copy(context.as_ptr())) }
}

/// Runs `call` within the context.
///
/// # Errors
/// Those of `call`; RuntimeError when the context is already entered.
pub fn within<R>(py: Python<'_>, context: &Bound<'_, PyAny>, call: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    // SAFETY: the GIL is held and the pointer is valid; PyContext_Enter itself checks that it is a context.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } < 0 {
        return Err(PyErr::fetch(py));
    }
    let result = caught(call);
    // SAFETY: as above; it was entered on this thread just now.
    if unsafe { ffi::PyContext_Exit(context.as_ptr()) } < 0 {
        return result.and(Err(PyErr::fetch(py)));
    }
    result
}

pub fn fresh<R>(py: Python<'_>, call: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    within(py, &copy(py), call)
}
