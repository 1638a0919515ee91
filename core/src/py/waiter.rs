//! A future of the engine: what a Task waits for. It wakes the Task in place, in the engine's own turn, which saves the
//! trip through asyncio's queue (3.5 us of an echo's 9.5). Documented in python/django_rivet/_core.pyi.

use pyo3::exceptions::asyncio::{CancelledError, InvalidStateError};
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::context;
use super::gil::Gil;
use crate::engine::remote::{Command, Remote};

enum State {
    Pending,
    Value(Py<PyAny>),
    Error(PyErr),
    Cancelled(Option<Py<PyAny>>),
}

/// `Waiter::wait_by`: one asyncio for the whole process.
static WAIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A callback and the context it runs in.
type Callback = (Py<PyAny>, Option<Py<PyAny>>);

#[pyclass(module = "django_rivet._core", frozen, weakref)]
pub struct Waiter {
    event_loop: Py<PyAny>,
    /// Where another thread leaves its result.
    remote: Option<Arc<Remote>>,
    state: Gil<RefCell<State>>,
    blocking: Gil<Cell<bool>>,
    callbacks: Gil<RefCell<Vec<Callback>>>,
}

impl Waiter {
    pub fn pending(py: Python<'_>, event_loop: &Py<PyAny>) -> Self {
        Self::with_state(py, event_loop, State::Pending)
    }

    /// For the work of another thread.
    pub fn remote(py: Python<'_>, event_loop: &Py<PyAny>, remote: &Arc<Remote>) -> Self {
        Self { remote: Some(Arc::clone(remote)), ..Self::pending(py, event_loop) }
    }

    pub fn ready(py: Python<'_>, event_loop: &Py<PyAny>, value: Py<PyAny>) -> Self {
        Self::with_state(py, event_loop, State::Value(value))
    }

    pub fn failed(py: Python<'_>, event_loop: &Py<PyAny>, error: PyErr) -> Self {
        Self::with_state(py, event_loop, State::Error(error))
    }

    fn with_state(py: Python<'_>, event_loop: &Py<PyAny>, state: State) -> Self {
        Self {
            event_loop: event_loop.clone_ref(py),
            remote: None,
            state: Gil::new(RefCell::new(state)),
            blocking: Gil::new(Cell::new(false)),
            callbacks: Gil::new(RefCell::new(Vec::new())),
        }
    }

    /// Has it be awaited by a function of Python, where Tasks do not wait for what is no Future of asyncio's.
    pub fn wait_by(py: Python<'_>, function: Py<PyAny>) {
        let _ = WAIT.set(py, function);
    }

    pub fn is_pending(&self) -> bool {
        matches!(*self.state.borrow(), State::Pending)
    }

    fn leave(slf: Bound<'_, Self>, result: PyResult<Py<PyAny>>) -> PyResult<()> {
        let Some(remote) = &slf.get().remote else {
            return Err(PyRuntimeError::new_err("Only the engine settles this."));
        };
        remote.push(Command::Settle { waiter: slf.clone().unbind(), result });
        Ok(())
    }

    fn value(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match &*self.state.borrow() {
            State::Pending => Err(InvalidStateError::new_err("Result is not set.")),
            State::Value(value) => Ok(value.clone_ref(py)),
            State::Error(error) => Err(error.clone_ref(py)),
            State::Cancelled(None) => Err(CancelledError::new_err(())),
            State::Cancelled(Some(message)) => Err(CancelledError::new_err((message.clone_ref(py),))),
        }
    }
}

/// Gives it its result and runs its callbacks at once: only for the engine's own turn, where no Task runs.
pub fn settle(slf: &Bound<'_, Waiter>, result: PyResult<Py<PyAny>>) {
    let py = slf.py();
    let waiter = slf.get();
    if !waiter.is_pending() {
        return;
    }
    waiter.state.replace(result.map_or_else(State::Error, State::Value));
    for (callback, run_in) in waiter.callbacks.take() {
        let called = match run_in {
            Some(run_in) => context::within(py, run_in.bind(py), || callback.call1(py, (slf,))),
            None => callback.call1(py, (slf,)),
        };
        if let Err(error) = called {
            error.write_unraisable(py, Some(slf.as_any()));
        }
    }
}

/// Does somebody still wait?
pub fn waits(py: Python<'_>, waiter: &Py<PyAny>) -> bool {
    waiter.bind(py).cast::<Waiter>().is_ok_and(|waiter| waiter.get().is_pending())
}

pub fn resolve_with(py: Python<'_>, waiter: &Py<PyAny>, value: PyResult<Py<PyAny>>) {
    if let Ok(waiter) = waiter.bind(py).cast::<Waiter>() {
        settle(waiter, value);
    }
}

pub fn resolve(py: Python<'_>, waiter: &Py<PyAny>) {
    resolve_with(py, waiter, Ok(py.None()));
}

/// The same where a Task may run: in the engine's next turn.
pub fn resolve_later(py: Python<'_>, remote: &Remote, waiter: &Py<PyAny>, result: PyResult<Py<PyAny>>) {
    if let Ok(waiter) = waiter.bind(py).cast::<Waiter>() {
        remote.push(Command::Settle { waiter: waiter.clone().unbind(), result });
    }
}

/// The next part of a body, b"" at its end.
pub fn resolve_bytes(py: Python<'_>, waiter: &Py<PyAny>, data: Option<Vec<u8>>) {
    let bytes = PyBytes::new(py, data.as_deref().unwrap_or_default());
    resolve_with(py, waiter, Ok(bytes.into_any().unbind()));
}

#[pymethods]
impl Waiter {
    #[getter(_asyncio_future_blocking)]
    fn blocking(&self) -> bool {
        self.blocking.get()
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, value: bool) {
        self.blocking.set(value);
    }

    fn __await__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        let py = slf.py();
        match WAIT.get(py) {
            Some(wait) => wait.bind(py).call1((slf,)),
            None => Ok(slf.into_any()),
        }
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(slf: Bound<'_, Self>) -> PyResult<Option<Bound<'_, Self>>> {
        let this = slf.get();
        if this.is_pending() {
            this.blocking.set(true);
            return Ok(Some(slf));
        }
        let value = this.value(slf.py())?;
        if value.is_none(slf.py()) { Ok(None) } else { Err(PyStopIteration::new_err((value,))) }
    }

    #[pyo3(signature = (callback, *, context=None))]
    fn add_done_callback(slf: &Bound<'_, Self>, callback: Py<PyAny>, context: Option<Py<PyAny>>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        if this.is_pending() {
            this.callbacks.borrow_mut().push((callback, context));
            return Ok(());
        }
        soon(py, &this.event_loop, slf, callback, context)
    }

    fn remove_done_callback(&self, py: Python<'_>, callback: &Bound<'_, PyAny>) -> PyResult<usize> {
        let mut removed = 0;
        let mut kept = Vec::new();
        for (each, context) in self.callbacks.take() {
            if each.bind(py).eq(callback)? { removed += 1 } else { kept.push((each, context)) }
        }
        self.callbacks.replace(kept);
        Ok(removed)
    }

    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let py = slf.py();
        let this = slf.get();
        if !this.is_pending() {
            return Ok(false);
        }
        this.state.replace(State::Cancelled(msg));
        for (callback, context) in this.callbacks.take() {
            soon(py, &this.event_loop, slf, callback, context)?;
        }
        Ok(true)
    }

    // As concurrent.futures.Future has them, for the thread that does the work.

    fn set_running_or_notify_cancel(&self) -> bool {
        self.is_pending()
    }

    fn set_result(slf: Bound<'_, Self>, result: Py<PyAny>) -> PyResult<()> {
        Self::leave(slf, Ok(result))
    }

    fn set_exception(slf: Bound<'_, Self>, exception: Bound<'_, PyAny>) -> PyResult<()> {
        let mut error = PyErr::from_value(exception);
        if error.is_instance_of::<PyStopIteration>(slf.py()) {
            // Raised by `__next__` it would be taken for a result.
            let cause = Some(error);
            error = PyRuntimeError::new_err("StopIteration cannot be raised into a future");
            error.set_cause(slf.py(), cause);
        }
        Self::leave(slf, Err(error))
    }

    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.value(py)
    }

    fn exception(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match &*self.state.borrow() {
            State::Error(error) => Ok(Some(error.clone_ref(py).into_value(py).into_any())),
            State::Value(_) => Ok(None),
            State::Pending => Err(InvalidStateError::new_err("Exception is not set.")),
            State::Cancelled(_) => Err(CancelledError::new_err(())),
        }
    }

    fn done(&self) -> bool {
        !self.is_pending()
    }

    fn cancelled(&self) -> bool {
        matches!(*self.state.borrow(), State::Cancelled(_))
    }

    fn get_loop(&self, py: Python<'_>) -> Py<PyAny> {
        self.event_loop.clone_ref(py)
    }
}

fn soon(
    py: Python<'_>,
    event_loop: &Py<PyAny>,
    waiter: &Bound<'_, Waiter>,
    callback: Py<PyAny>,
    context: Option<Py<PyAny>>,
) -> PyResult<()> {
    let named = pyo3::types::PyDict::new(py);
    named.set_item("context", context)?;
    event_loop.bind(py).call_method("call_soon", (callback, waiter), Some(&named)).map(drop)
}
