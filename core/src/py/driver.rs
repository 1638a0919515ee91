//! The coroutine that a handler's Task runs: it steps the handler's own and gives its result to the engine in the same
//! step, which saves a done-callback and a turn of the loop.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::gil::Gil;
use super::parts::Parts;
use super::step::{self, Step};
use crate::engine::native::Outcome;
use crate::engine::settle::Settle;
use crate::engine::shared::Shared;
use crate::py::request::Request;
use crate::py::websocket::WebSocket;

#[pyclass(module = "django_rivet._core", frozen)]
pub struct Driver {
    coroutine: Py<PyAny>,
    ended: Gil<Cell<bool>>,
    /// The result of a coroutine that ended before `answer_to` was called.
    result: Gil<RefCell<Option<PyResult<Py<PyAny>>>>>,
    answers: Gil<RefCell<Answers>>,
}

/// Who gets the result of a coroutine that has suspended.
enum Answers {
    Nobody,
    /// With the route's `settle`, and the request that the handler has.
    Request(Arc<Shared>, Option<Arc<Settle>>, Option<Py<Request>>),
    /// By itself: it is what `settle` returned.
    Later(Arc<Shared>),
    Socket(Py<WebSocket>),
}

impl Driver {
    pub fn new(coroutine: Py<PyAny>) -> Self {
        Self {
            coroutine,
            ended: Gil::new(Cell::new(false)),
            result: Gil::new(RefCell::new(None)),
            answers: Gil::new(RefCell::new(Answers::Nobody)),
        }
    }

    /// The result, if the coroutine has ended.
    pub fn finished<'py>(&self, py: Python<'py>) -> Option<PyResult<Bound<'py, PyAny>>> {
        self.result.take().map(|result| result.map(|value| value.into_bound(py)))
    }

    /// The request that the result will answer, once the coroutine has suspended.
    pub fn answer_to(&self, shared: Arc<Shared>, settle: Option<Arc<Settle>>, request: Option<Py<Request>>) {
        self.answers.replace(Answers::Request(shared, settle, request));
    }

    pub fn answer_later(&self, shared: Arc<Shared>) {
        self.answers.replace(Answers::Later(shared));
    }

    pub fn answer_socket(&self, socket: Py<WebSocket>) {
        self.answers.replace(Answers::Socket(socket));
    }

    fn ended(&self, py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) {
        self.ended.set(true);
        match self.answers.replace(Answers::Nobody) {
            Answers::Nobody => drop(self.result.replace(Some(result.map(Bound::unbind)))),
            Answers::Socket(socket) => WebSocket::handler_ended(socket.bind(py), result.map(drop)),
            Answers::Request(shared, settle, request) => {
                let request = request.map(|request| request.into_bound(py));
                let make = |parts: &_, result| Outcome::of(py, parts, settle.as_deref(), &shared, request, result);
                Self::tell(py, &shared, result, make);
            }
            Answers::Later(shared) => Self::tell(py, &shared, result, |_, result| Outcome::later(result)),
        }
    }

    fn tell<'py>(
        py: Python<'py>,
        shared: &Arc<Shared>,
        result: PyResult<Bound<'py, PyAny>>,
        make: impl FnOnce(&Parts, PyResult<Bound<'py, PyAny>>) -> Outcome,
    ) {
        let Some(engine) = crate::engine::here(&shared.remote) else { return };
        let cancelled = matches!(&result, Err(error) if engine.parts.is_cancelled(py, error));
        let outcome = if cancelled { Outcome::Cancelled } else { make(&engine.parts, result) };
        engine.guarded(py, Some(shared.token), || engine.ended(py, shared, outcome));
    }

    fn go_on<'py>(&self, py: Python<'py>, stepped: PyResult<Step<'py>>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match stepped {
            Ok(Step::Yielded(future)) => Ok(Some(future)),
            Ok(Step::Returned(value)) => {
                self.ended(py, Ok(value));
                Ok(None)
            }
            Err(error) => {
                let fatal = !error.is_instance_of::<pyo3::exceptions::PyException>(py);
                let again = fatal.then(|| error.clone_ref(py));
                self.ended(py, Err(error));
                again.map_or(Ok(None), Err) // CancelledError, KeyboardInterrupt, SystemExit belong to the Task
            }
        }
    }
}

#[pymethods]
impl Driver {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.ended.get() {
            return Ok(None);
        }
        self.go_on(py, step::step(self.coroutine.bind(py)))
    }

    fn send<'py>(&self, py: Python<'py>, _value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.__next__(py)?.ok_or_else(|| pyo3::exceptions::PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*error))]
    fn throw<'py>(&self, py: Python<'py>, error: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let thrown = self.coroutine.bind(py).call_method1("throw", error);
        let stepped = match thrown {
            Ok(future) => Ok(Step::Yielded(future)),
            Err(error) if error.is_instance_of::<pyo3::exceptions::PyStopIteration>(py) => {
                error.value(py).getattr("value").map(Step::Returned)
            }
            Err(error) => Err(error),
        };
        self.go_on(py, stepped)?.ok_or_else(|| pyo3::exceptions::PyStopIteration::new_err(()))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.coroutine.bind(py).call_method0("close").map(drop)
    }

    // What asyncio's debug output shows of a coroutine.
    #[getter]
    fn cr_code<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine.bind(py).getattr("cr_code")
    }

    #[getter]
    fn cr_frame<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine.bind(py).getattr("cr_frame")
    }

    #[getter]
    fn __qualname__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine.bind(py).getattr("__qualname__")
    }
}
