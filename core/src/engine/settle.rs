//! What a native handler gives that is no plain answer: an exception, or a value that msgspec does not know. The `settle`
//! of its route, Python code, makes an answer of it; a plain answer never comes here.

use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;
use std::sync::Arc;

use super::Engine;
use super::native::{Handler, Kind, Outcome};
use super::shared::{Progress, Shared};
use crate::py::render::{PlainValues, Rendered};
use crate::py::request::Request;
use crate::py::{context, parts::Parts};

/// A value that is no plain answer, and why; without a value the handler has raised; without an error the value has
/// not been tried.
pub struct Unsettled<'py> {
    value: Option<Bound<'py, PyAny>>,
    error: Option<PyErr>,
}

/// Makes the answers of a route that are not plain, and knows which are.
pub struct Settle {
    pub call: Py<PyAny>,
    pub plain: PlainValues,
}

/// # Errors
/// What is to be settled: also what a handler returns that has touched Django's side of its request.
pub fn render<'py>(
    py: Python<'py>,
    encode: &Py<PyAny>,
    settle: Option<&Settle>,
    request: Option<&Bound<'py, Request>>,
    result: PyResult<Bound<'py, PyAny>>,
) -> Result<Rendered, Unsettled<'py>> {
    let value = result.map_err(|error| Unsettled { value: None, error: Some(error) })?;
    if request.is_some_and(|request| request.get().touched(py)) {
        return Err(Unsettled { value: Some(value), error: None });
    }
    let plain = settle.map(|settle| settle.plain).unwrap_or_default();
    match Rendered::from_value(py, encode, plain, &value) {
        Ok(Some(rendered)) => Ok(rendered),
        Ok(None) => Err(Unsettled { value: Some(value), error: None }),
        Err(error) => Err(Unsettled { value: Some(value), error: Some(error) }),
    }
}

impl Unsettled<'_> {
    /// What the engine says where nobody settles.
    pub fn into_error(self) -> PyErr {
        self.error.unwrap_or_else(|| PyRuntimeError::new_err("a route without `settle` has used Django's request"))
    }

    /// Calls a route's `settle`, if it has one, and the handler has not failed after it had begun to answer.
    /// In the handler's context, so that what its providers have set there can be reset; with the handler's request.
    pub fn settle<'py>(
        self,
        py: Python<'py>,
        context: &Bound<'py, PyAny>,
        settle: Option<&Settle>,
        shared: &Arc<Shared>,
        request: Option<Bound<'py, Request>>,
    ) -> Outcome {
        let Some(settle) = settle else { return Outcome::Error(self.into_error()) };
        // CancelledError, KeyboardInterrupt and SystemExit are not for it.
        let fatal = self.error.as_ref().is_some_and(|error| !error.is_instance_of::<PyException>(py));
        let failed_late = self.value.is_none() && shared.progress() != Progress::Waiting;
        if fatal || failed_late {
            return self.error.map_or(Outcome::Settled(None), Outcome::Error);
        }
        let error = self.error.map(|error| error.into_value(py));
        let called = request.map_or_else(|| Request::new(py, Arc::clone(shared), false), Ok).and_then(|request| {
            context::within(py, context, || settle.call.bind(py).call1((request, self.value, error)))
        });
        match called {
            Ok(later) if later.is_none() => Outcome::Settled(None),
            Ok(later) => Outcome::Settled(Some(later.unbind())),
            Err(error) => Outcome::Error(error),
        }
    }
}

impl Outcome {
    pub fn of(
        py: Python<'_>,
        parts: &Parts,
        settle: Option<&Settle>,
        shared: &Arc<Shared>,
        request: Option<Bound<'_, Request>>,
        result: PyResult<Bound<'_, PyAny>>,
    ) -> Self {
        match render(py, &parts.encode, settle, request.as_ref(), result) {
            Ok(rendered) => Self::Value(rendered),
            Err(unsettled) => unsettled.settle(py, &context::copy(py), settle, shared, request),
        }
    }
}

impl Engine {
    /// For a handler that was called on this thread: `def` handlers may block here, so may what settles them.
    pub fn settle_here(
        &self,
        py: Python<'_>,
        context: &Bound<'_, PyAny>,
        handler: &Handler,
        shared: &Arc<Shared>,
        request: Option<Bound<'_, Request>>,
        unsettled: Unsettled<'_>,
    ) -> Outcome {
        let settle = || unsettled.settle(py, context, handler.settle.as_deref(), shared, request);
        if matches!(handler.kind, Kind::Ready | Kind::Async) {
            return settle();
        }
        let settled = self.parts.without_loop(py, || Ok(settle()));
        settled.unwrap_or_else(Outcome::Error)
    }

    pub fn outcome_here(
        &self,
        py: Python<'_>,
        context: &Bound<'_, PyAny>,
        handler: &Handler,
        shared: &Arc<Shared>,
        request: Option<Bound<'_, Request>>,
        result: PyResult<Bound<'_, PyAny>>,
    ) -> Outcome {
        match render(py, &self.parts.encode, handler.settle.as_deref(), request.as_ref(), result) {
            Ok(rendered) => Outcome::Value(rendered),
            Err(unsettled) => self.settle_here(py, context, handler, shared, request, unsettled),
        }
    }

    /// Runs the coroutine that `settle` has returned.
    pub fn settle_later(&self, py: Python<'_>, shared: &Arc<Shared>, coroutine: Py<PyAny>) {
        let begun = self.parts.begin_task(py, coroutine.into_bound(py), &self.context(py));
        match begun.map(|(driver, task)| (driver.get().finished(py), driver, task)) {
            Ok((Some(result), ..)) => self.ended(py, shared, Outcome::later(result)),
            Ok((None, driver, task)) => {
                driver.get().answer_later(Arc::clone(shared));
                self.cancel_with(py, shared, &task);
            }
            Err(error) => self.ended(py, shared, Outcome::Error(error)),
        }
    }
}
