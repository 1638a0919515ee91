//! django_rivet.WebSocket. Documented in python/django_rivet/_core.pyi.

use pyo3::create_exception;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::gil::Gil;
use super::meta::latin1;
use super::waiter::Waiter;
use crate::engine::answer::Plain;
use crate::engine::conn::State;
use crate::engine::fields::Fields;
use crate::engine::finish::Ended;
use crate::engine::remote::Command;
use crate::engine::settle::Settle;
use crate::engine::shared::{Progress, Shared};
use crate::engine::socket::{Inbox, Socket};
use crate::engine::{Engine, here};
use crate::metrics::Counter;
use crate::ws::{self, Codec, Handshake};

create_exception!(django_rivet._core, Disconnected, PyOSError, "The peer has gone, or has said that it goes.");

/// Disconnected, with `code` and `reason`.
pub fn disconnected(py: Python<'_>, code: u16, reason: &str) -> PyErr {
    let error = Disconnected::new_err(format!("the WebSocket is closed ({code}) {reason}").trim_end().to_owned());
    let value = error.value(py);
    match value.setattr("code", code).and_then(|()| value.setattr("reason", reason)) {
        Ok(()) => error,
        Err(error) => error,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    Open,
    Closed,
}

#[pyclass(module = "django_rivet._core", frozen, weakref)]
pub struct WebSocket {
    pub(super) shared: Arc<Shared>,
    handshake: Gil<RefCell<Option<Box<Handshake>>>>,
    phase: Gil<Cell<Phase>>,
    /// What comes, once it is open.
    inbox: Gil<OnceCell<Rc<RefCell<Inbox>>>>,
    /// What on_disconnect() got before accept().
    early: Gil<RefCell<Vec<Py<PyAny>>>>,
    task: Gil<RefCell<Option<Py<PyAny>>>>,
    /// Who it is, as the route's `auth` says.
    user: Gil<RefCell<Option<Py<PyAny>>>>,
    /// The route's: what an exception of its handler means for the handshake.
    settle: Option<Arc<Settle>>,
}

impl WebSocket {
    pub fn new(shared: Arc<Shared>, handshake: Handshake, settle: Option<Arc<Settle>>) -> Self {
        Self {
            shared,
            handshake: Gil::new(RefCell::new(Some(Box::new(handshake)))),
            phase: Gil::new(Cell::new(Phase::Connecting)),
            inbox: Gil::new(OnceCell::new()),
            early: Gil::new(RefCell::default()),
            task: Gil::new(RefCell::new(None)),
            user: Gil::new(RefCell::new(None)),
            settle,
        }
    }

    pub(super) fn engine(&self) -> PyResult<Rc<Engine>> {
        here(&self.shared.remote).ok_or_else(|| PyRuntimeError::new_err("this is for the thread of the event loop"))
    }

    pub fn keep_task(&self, task: Py<PyAny>) {
        self.task.replace(Some(task));
    }

    /// The handler could not begin, or raised.
    fn failed(&self, py: Python<'_>, engine: &Engine) {
        match self.phase.replace(Phase::Closed) {
            Phase::Connecting => engine.fail(py, self.shared.token, &self.shared),
            Phase::Open => engine.close_socket(self.shared.token, 1011, ""),
            Phase::Closed => {}
        }
    }

    /// The handler has ended, or could not begin: so does the socket.
    pub fn handler_ended(slf: &Bound<'_, Self>, result: PyResult<()>) {
        let (py, this) = (slf.py(), slf.get());
        this.task.replace(None);
        let Ok(engine) = this.engine() else { return };
        match result {
            Err(error) if error.is_instance_of::<Disconnected>(py) => this.phase.set(Phase::Closed),
            Err(error) if Self::refused(slf, &engine, &error) => {}
            Err(error) => {
                if !engine.parts.is_cancelled(py, &error) {
                    engine.parts.exception(py, "a WebSocket's handler failed", &error);
                }
                this.failed(py, &engine);
            }
            Ok(()) => match this.phase.replace(Phase::Closed) {
                Phase::Connecting => {
                    if this.shared.advance(Progress::Waiting, Progress::Ended) {
                        engine.respond_plain(py, &this.shared, &Plain::new(403, b"Forbidden\n"));
                    }
                }
                Phase::Open => engine.close_socket(this.shared.token, 1000, ""),
                Phase::Closed => {}
            },
        }
    }

    /// Has the route's `settle` answered the handshake with what the error means?
    fn refused(slf: &Bound<'_, Self>, engine: &Engine, error: &PyErr) -> bool {
        let (py, this) = (slf.py(), slf.get());
        let Some(settle) = this.settle.as_ref().filter(|_| this.phase.get() == Phase::Connecting) else { return false };
        let answered =
            settle.call.bind(py).call1((slf, py.None(), error.value(py))).and_then(|answered| answered.is_truthy());
        answered.unwrap_or_else(|failure| {
            engine.parts.exception(py, "a handshake could not be refused", &failure);
            false
        })
    }

    /// Appends one message; are too many bytes waiting?
    fn push(&self, engine: &Engine, text: bool, payload: &[u8]) -> Option<bool> {
        let pushed = engine.with(self.shared.token, |conn| {
            let State::WebSocket(socket) = &mut conn.state else { return None };
            if !socket.open() {
                return None;
            }
            conn.output.append(&mut engine.spare(), |out| socket.codec.message(out, text, payload));
            engine.mark(conn, self.shared.token);
            Some(conn.output.pending() > engine.options.high_water)
        });
        pushed.flatten()
    }

    /// How it ended, as far as that is known.
    fn ended(&self) -> (u16, String) {
        self.inbox.get().and_then(|inbox| inbox.borrow().ended()).unwrap_or((1006, String::new()))
    }

    fn over(&self, py: Python<'_>) -> PyErr {
        let (code, reason) = self.ended();
        disconnected(py, code, &reason)
    }
}

#[pymethods]
impl WebSocket {
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.shared.path(py)
    }

    #[getter]
    fn raw_path<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.shared.raw_path(py)
    }

    #[getter]
    fn query_string<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.shared.query_string(py)
    }

    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.shared.headers(py)
    }

    fn header<'py>(&self, py: Python<'py>, name: &str) -> Option<Bound<'py, PyString>> {
        self.shared.header(py, name)
    }

    #[getter]
    fn http_version(&self) -> &'static str {
        "1.1"
    }

    #[getter]
    fn scheme(&self) -> &'static str {
        if self.shared.https { "wss" } else { "ws" }
    }

    #[getter]
    fn client(&self) -> Option<(String, u16)> {
        self.shared.client()
    }

    #[getter]
    fn server(&self) -> (String, Option<u16>) {
        self.shared.server.clone()
    }

    #[getter]
    fn id(&self) -> String {
        self.shared.id()
    }

    #[getter]
    fn subprotocols<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyString>> {
        let handshake = self.handshake.borrow();
        let protocols = handshake.iter().flat_map(|handshake| &handshake.protocols);
        protocols.map(|protocol| latin1(py, self.shared.of(*protocol))).collect()
    }

    #[getter]
    fn closed(&self) -> bool {
        let open = |engine: Rc<Engine>| {
            engine.with(self.shared.token, |conn| matches!(&conn.state, State::WebSocket(socket) if socket.open()))
        };
        match self.phase.get() {
            Phase::Connecting => self.shared.is_gone(),
            Phase::Open => !self.engine().ok().and_then(open).unwrap_or_default(),
            Phase::Closed => true,
        }
    }

    #[getter]
    fn close_code(&self) -> u16 {
        match self.inbox.get() {
            Some(inbox) => inbox.borrow().ended().map_or(0, |(code, _)| code),
            None if self.closed() => 1006,
            None => 0,
        }
    }

    #[pyo3(signature = (subprotocol=None, headers=None))]
    fn accept(&self, py: Python<'_>, subprotocol: Option<&str>, headers: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let engine = self.engine()?;
        let fields = headers.map(Fields::from_python).transpose()?.unwrap_or_default();
        if self.phase.get() != Phase::Connecting {
            return Err(PyRuntimeError::new_err("accept() comes once, before anything else"));
        }
        let offered = |name: &&str| {
            let handshake = self.handshake.borrow();
            handshake.iter().flat_map(|each| &each.protocols).any(|each| self.shared.of(*each) == name.as_bytes())
        };
        if let Some(name) = subprotocol.filter(|name| !offered(name)) {
            return Err(PyValueError::new_err(format!("the client has not offered the subprotocol {name:?}")));
        }
        let Some(handshake) = self.handshake.take() else {
            return Err(PyRuntimeError::new_err("accept() comes once, before anything else"));
        };
        if self.shared.is_gone() {
            return Err(self.over(py));
        }
        if !self.shared.advance(Progress::Waiting, Progress::Ended) {
            return Err(PyRuntimeError::new_err("this handshake has been answered already"));
        }
        let codec = Codec::new(&engine.sockets, handshake.deflate);
        let accepted = engine.for_answer(&self.shared, |conn, token| {
            let exchange = conn.current.exchange;
            let rendered = conn.output.append(&mut engine.spare(), |out| {
                let protocol = subprotocol.map(str::as_bytes);
                let mut response = ws::Response::begin(out, &handshake.accept, handshake.deflate, protocol)?;
                fields.iter().try_for_each(|(name, value)| response.field(name, value))?;
                response.end();
                Ok::<(), ws::BadResponse>(())
            });
            if rendered.is_ok() {
                let socket = Socket::new(codec, engine.options.ws_rate, engine.clock.now(), &engine.messages);
                for callback in self.early.take() {
                    let _ = socket.inbox.borrow_mut().on_disconnect(callback);
                }
                let _ = self.inbox.set(Rc::clone(&socket.inbox));
                engine.open_socket(conn, token, socket);
            }
            (exchange, conn.peer, rendered)
        });
        match accepted {
            Some((exchange, peer, Ok(()))) => {
                self.phase.set(Phase::Open);
                let micros = engine.clock.micros().saturating_sub(exchange.started);
                let ended = Ended { status: 101, sent: 0, micros };
                engine.note(peer, exchange, Some(self.shared.line()), Some(&self.shared), ended);
                engine.socket_opened(self.shared.token);
                Ok(())
            }
            Some((.., Err(_))) => {
                self.phase.set(Phase::Closed);
                engine.respond_plain(py, &self.shared, &Plain::new(500, b"Internal Server Error\n"));
                Err(PyValueError::new_err(
                    "a header field or the subprotocol is not valid, or belongs to the handshake",
                ))
            }
            None => Err(self.over(py)),
        }
    }

    #[getter]
    fn user(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.user.borrow().as_ref().map(|user| user.clone_ref(py))
    }

    #[setter]
    fn set_user(&self, user: Py<PyAny>) {
        self.user.replace(Some(user));
    }

    #[pyo3(signature = (status=403, headers=None, body=None))]
    fn deny(
        &self,
        py: Python<'_>,
        status: u16,
        headers: Option<&Bound<'_, PyAny>>,
        body: Option<Py<PyBytes>>,
    ) -> PyResult<()> {
        let engine = self.engine()?;
        let fields = headers.map(Fields::from_python).transpose()?.unwrap_or_default();
        super::request::final_status(status)?;
        if self.phase.get() != Phase::Connecting || !self.shared.advance(Progress::Waiting, Progress::Ended) {
            return Err(PyRuntimeError::new_err("this handshake has been answered already"));
        }
        self.phase.set(Phase::Closed);
        let body = body.unwrap_or_else(|| PyBytes::new(py, b"").unbind());
        engine.obey(py, Command::Respond { shared: Arc::clone(&self.shared), status, fields, body });
        Ok(())
    }

    fn receive(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        let engine = self.engine()?;
        let event_loop = engine.parts.event_loop(py);
        let Some(inbox) = self.inbox.get() else {
            return Err(match self.phase.get() {
                Phase::Connecting => PyRuntimeError::new_err("accept() comes first"),
                Phase::Open | Phase::Closed => self.over(py),
            });
        };
        let next = inbox.borrow_mut().take();
        match next {
            Some(Ok(message)) => {
                engine.message_taken(self.shared.token);
                Py::new(py, Waiter::ready(py, &event_loop, message))
            }
            Some(Err((code, reason))) => Py::new(py, Waiter::failed(py, &event_loop, disconnected(py, code, &reason))),
            None => {
                let waiter = Py::new(py, Waiter::pending(py, &event_loop))?;
                if inbox.borrow_mut().set_receiver(py, waiter.clone_ref(py).into_any()) {
                    Ok(waiter)
                } else {
                    Err(PyRuntimeError::new_err("somebody else is in receive()"))
                }
            }
        }
    }

    fn send(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<Py<Waiter>> {
        let engine = self.engine()?;
        if self.phase.get() == Phase::Connecting {
            return Err(PyRuntimeError::new_err("accept() comes first"));
        }
        let full = if let Ok(text) = data.cast::<PyString>() {
            self.push(&engine, true, text.to_str()?.as_bytes())
        } else if let Ok(bytes) = data.cast::<PyBytes>() {
            self.push(&engine, false, bytes.as_bytes())
        } else {
            return Err(PyTypeError::new_err("a message is str or bytes"));
        };
        let Some(full) = full else { return Err(self.over(py)) };
        engine.metrics.borrow().add(Counter::MessagesOut, 1);
        if !full {
            return engine.parts.done(py);
        }
        let waiter = Py::new(py, Waiter::pending(py, &engine.parts.event_loop(py)))?;
        let waits = waiter.clone_ref(py).into_any();
        let _ = engine.with(self.shared.token, |conn| conn.drained.push(waits));
        Ok(waiter)
    }

    #[pyo3(signature = (code=1000, reason=""))]
    fn close(&self, py: Python<'_>, code: u16, reason: &str) -> PyResult<()> {
        let engine = self.engine()?;
        if !ws::sendable(code) || reason.len() > 123 {
            return Err(PyValueError::new_err("the code must be one that may be sent, the reason at most 123 bytes"));
        }
        match self.phase.get() {
            Phase::Connecting => self.deny(py, 403, None, None),
            Phase::Open => {
                engine.close_socket(self.shared.token, code, reason);
                Ok(())
            }
            Phase::Closed => Ok(()),
        }
    }

    fn on_disconnect(&self, py: Python<'_>, callback: Py<PyAny>) -> PyResult<()> {
        let engine = self.engine()?;
        let late = match self.inbox.get() {
            Some(inbox) => inbox.borrow_mut().on_disconnect(callback),
            None => {
                self.early.borrow_mut().push(callback.clone_ref(py));
                Some(callback)
            }
        };
        if let Some(callback) = late {
            let told = py.import("functools")?.call_method1("partial", (callback, self.ended().0, self.ended().1))?;
            if self.inbox.get().is_some() {
                engine.call_soon(py, &told.unbind());
            } else {
                engine.on_disconnect(py, &self.shared, told.unbind());
            }
        }
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("<WebSocket {}>", self.shared.method_and_target().1)
    }
}
