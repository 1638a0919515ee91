//! The pieces of Python that the engine uses, looked up once.

use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::cell::{Cell, RefCell};

use super::driver::Driver;
use super::waiter::Waiter;
use crate::engine::panics::caught;

pub struct Parts {
    event_loop: RefCell<Option<Attached>>,
    /// msgspec.json.Encoder().encode
    pub encode: Py<PyAny>,
    task: Py<PyAny>,
    logger: Py<PyAny>,
    /// asyncio.events._set_running_loop, if there is such a thing.
    set_running_loop: Option<Py<PyAny>>,
    /// asyncio's next timer when the turn began: another one may be due earlier.
    timer: Cell<usize>,
}

struct Attached {
    event_loop: Py<PyAny>,
    /// asyncio's queue of callbacks; None: it has another one, or other timers, than we know.
    ready: Option<Py<PyAny>>,
    /// An awaitable of None that never waits; it can be awaited by many.
    done: Py<Waiter>,
    /// `loop=`, `eager_start=` of asyncio.Task
    task_options: Py<PyDict>,
    /// Makes a coroutine of a Driver, where Tasks take only those of `async def`.
    coroutine_of: Option<Py<PyAny>>,
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
            set_running_loop: py.import("asyncio")?.getattr_opt("_set_running_loop")?.map(Bound::unbind),
            timer: Cell::new(0),
        })
    }

    /// Returns what it does not find of asyncio's inner parts, each of which it does without:
    /// python/django_rivet/server/internals.py.
    pub fn attach(&self, event_loop: &Bound<'_, PyAny>) -> PyResult<Vec<&'static str>> {
        let py = event_loop.py();
        let options = PyDict::new(py);
        options.set_item("loop", event_loop)?;
        options.set_item("eager_start", true)?;
        let mut missing = Vec::new();
        let asyncio = py.import("asyncio")?;
        let timers = event_loop.getattr_opt("_scheduled")?.is_some_and(|timers| timers.cast::<PyList>().is_ok());
        let ready = event_loop.getattr_opt("_ready")?.filter(|ready| timers && ready.len().is_ok());
        if ready.is_none() {
            missing.push("BaseEventLoop._ready and _scheduled");
        }
        if self.set_running_loop.is_none() {
            missing.push("_set_running_loop");
        }
        let fallback = |name| Ok::<_, PyErr>(py.import("django_rivet.server.internals")?.getattr(name)?.unbind());
        let driver = Bound::new(py, Driver::new(py.None()))?;
        let mut coroutine_of = None;
        if !asyncio.call_method1("iscoroutine", (driver,))?.is_truthy()? {
            missing.push("Task of any Coroutine");
            coroutine_of = Some(fallback("coroutine_of")?);
        }
        let done = Py::new(py, Waiter::ready(py, &event_loop.clone().unbind(), py.None()))?;
        if !asyncio.call_method1("isfuture", (&done,))?.is_truthy()? {
            missing.push("_asyncio_future_blocking");
            Waiter::wait_by(py, fallback("wait_for")?);
        }
        let attached = Attached {
            event_loop: event_loop.clone().unbind(),
            ready: ready.map(Bound::unbind),
            done,
            task_options: options.unbind(),
            coroutine_of,
        };
        self.event_loop.replace(Some(attached));
        Ok(missing)
    }

    /// May blocking code run on this thread?
    pub fn leaves_loop(&self) -> bool {
        self.set_running_loop.is_some()
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
        let ready = self.event_loop.borrow().as_ref().is_some_and(|attached| match &attached.ready {
            Some(ready) => ready.bind(py).len().is_ok_and(|len| len > 0),
            None => true, // who knows
        });
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
        let (options, coroutine_of) = match self.event_loop.borrow().as_ref() {
            Some(attached) => {
                let coroutine_of = attached.coroutine_of.as_ref().map(|function| function.clone_ref(py));
                (attached.task_options.bind(py).copy()?, coroutine_of)
            }
            None => (PyDict::new(py), None),
        };
        options.set_item(pyo3::intern!(py, "context"), context)?;
        let coroutine = match coroutine_of {
            Some(function) => function.bind(py).call1((&driver,))?,
            None => driver.clone().into_any(),
        };
        let task = self.task.bind(py).call((coroutine,), Some(&options))?;
        Ok((driver, task.unbind()))
    }

    /// Runs blocking code on this thread as if no loop ran here: Django's ORM refuses to work where one does
    /// (https://docs.djangoproject.com/en/6.1/topics/async/#async-safety).
    pub fn without_loop<R>(&self, py: Python<'_>, call: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
        let Some(set_running_loop) = &self.set_running_loop else { return call() };
        set_running_loop.bind(py).call1((py.None(),))?;
        let result = caught(call);
        set_running_loop.bind(py).call1((self.event_loop(py),))?;
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
        self.log(py, "warning", message);
    }

    pub fn error(&self, py: Python<'_>, message: &str) {
        self.log(py, "error", message);
    }

    fn log(&self, py: Python<'_>, level: &str, message: &str) {
        if let Err(error) = self.logger.bind(py).call_method1(level, (message,)) {
            error.write_unraisable(py, None);
        }
    }
}
