//! The pieces of Python that the engine uses, looked up once.

use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::cell::{Cell, RefCell};

use super::driver::Driver;
use super::waiter::Waiter;

pub struct Parts {
    event_loop: RefCell<Option<Attached>>,
    /// msgspec.json.Encoder().encode
    pub encode: Py<PyAny>,
    task: Py<PyAny>,
    logger: Py<PyAny>,
    /// asyncio.events._set_running_loop
    set_running_loop: Py<PyAny>,
    /// asyncio's next timer when the turn began: another one may be due earlier.
    timer: Cell<usize>,
}

struct Attached {
    event_loop: Py<PyAny>,
    /// asyncio's queue of callbacks.
    ready: Py<PyAny>,
    /// An awaitable of None that never waits; it can be awaited by many.
    done: Py<Waiter>,
    /// `loop=`, `eager_start=` of asyncio.Task
    task_options: Py<PyDict>,
}

impl Parts {
    /// # Errors
    /// ImportError when msgspec is not installed.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let encoder = py.import("msgspec.json")?.getattr("Encoder")?.call0()?;
        Ok(Self {
            event_loop: RefCell::new(None),
            encode: encoder.getattr("encode")?.unbind(),
            task: py.import("asyncio")?.getattr("Task")?.unbind(),
            logger: py.import("logging")?.call_method1("getLogger", ("django_rivet",))?.unbind(),
            set_running_loop: py.import("asyncio.events")?.getattr("_set_running_loop")?.unbind(),
            timer: Cell::new(0),
        })
    }

    /// # Errors
    /// AttributeError when the loop is not one of asyncio's own selector loops.
    pub fn attach(&self, event_loop: &Bound<'_, PyAny>) -> PyResult<()> {
        let options = PyDict::new(event_loop.py());
        options.set_item("loop", event_loop)?;
        options.set_item("eager_start", true)?;
        event_loop.getattr("_scheduled")?.cast::<PyList>()?;
        let ready = event_loop.getattr("_ready")?.unbind();
        let py = event_loop.py();
        let done = Py::new(py, Waiter::ready(py, &event_loop.clone().unbind(), py.None()))?;
        let attached =
            Attached { event_loop: event_loop.clone().unbind(), ready, done, task_options: options.unbind() };
        self.event_loop.replace(Some(attached));
        Ok(())
    }

    pub fn event_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.event_loop.borrow().as_ref().map_or_else(|| py.None(), |attached| attached.event_loop.clone_ref(py))
    }

    /// # Errors
    /// RuntimeError before `attach`.
    pub fn done(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        let event_loop = self.event_loop.borrow();
        let done = event_loop.as_ref().map(|attached| attached.done.clone_ref(py));
        done.ok_or_else(|| PyRuntimeError::new_err("attach() comes first"))
    }

    fn next_timer(&self, py: Python<'_>) -> usize {
        let event_loop = self.event_loop.borrow();
        let Some(attached) = event_loop.as_ref() else { return 0 };
        let scheduled = attached.event_loop.bind(py).getattr(pyo3::intern!(py, "_scheduled"));
        let first =
            scheduled.ok().and_then(|timers| timers.cast::<PyList>().ok().and_then(|timers| timers.get_item(0).ok()));
        first.map_or(0, |timer| timer.as_ptr() as usize)
    }

    pub fn remember_timer(&self, py: Python<'_>) {
        self.timer.set(self.next_timer(py));
    }

    /// Has asyncio something to do that it did not have when the turn began?
    pub fn asyncio_has_work(&self, py: Python<'_>) -> bool {
        let ready = self
            .event_loop
            .borrow()
            .as_ref()
            .is_some_and(|attached| attached.ready.bind(py).len().is_ok_and(|len| len > 0));
        ready || self.next_timer(py) != self.timer.get()
    }

    /// An eager Task of the coroutine: its first step has run when this returns.
    ///
    /// # Errors
    /// RuntimeError when the loop does not run.
    pub fn begin_task<'py>(
        &self,
        py: Python<'py>,
        coroutine: Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, Driver>, Py<PyAny>)> {
        let driver = Bound::new(py, Driver::new(coroutine.unbind()))?;
        let options = match self.event_loop.borrow().as_ref() {
            Some(attached) => attached.task_options.bind(py).copy()?,
            None => PyDict::new(py),
        };
        options.set_item(pyo3::intern!(py, "context"), context)?;
        let task = self.task.bind(py).call((&driver,), Some(&options))?;
        Ok((driver, task.unbind()))
    }

    /// Runs blocking code on this thread as if no loop ran here: Django's ORM refuses to work where one does
    /// (https://docs.djangoproject.com/en/6.1/topics/async/#async-safety).
    pub fn without_loop<R>(&self, py: Python<'_>, call: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
        self.set_running_loop.bind(py).call1((py.None(),))?;
        let result = call();
        self.set_running_loop.bind(py).call1((self.event_loop(py),))?;
        result
    }

    pub fn is_cancelled(&self, py: Python<'_>, error: &PyErr) -> bool {
        error.is_instance_of::<CancelledError>(py)
    }

    /// Logs an exception with its traceback; what logging itself raises goes to sys.unraisablehook.
    pub fn exception(&self, py: Python<'_>, message: &str, error: &PyErr) {
        let named = PyDict::new(py);
        let logged = named
            .set_item("exc_info", error.value(py))
            .and_then(|()| self.logger.bind(py).call_method("error", (message,), Some(&named)));
        if let Err(error) = logged {
            error.write_unraisable(py, None);
        }
    }

    pub fn warn(&self, py: Python<'_>, message: &str) {
        if let Err(error) = self.logger.bind(py).call_method1("warning", (message,)) {
            error.write_unraisable(py, None);
        }
    }
}
