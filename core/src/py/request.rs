//! django_rivet.Request. Documented in python/django_rivet/_core.pyi.

use pyo3::exceptions::{PyConnectionError, PyRuntimeError, PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use rustix::fd::{AsRawFd, IntoRawFd};
use std::io::Seek;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use super::meta::{latin1, meta};
use super::waiter::Waiter;
use crate::engine::fields::Fields;
use crate::engine::remote::{Command, Part};
use crate::engine::shared::{Body, Progress, Shared};

#[pyclass(module = "django_rivet._core", frozen, weakref)]
pub struct Request {
    shared: Arc<Shared>,
    /// Nobody answers if the holder of this object does not.
    must_answer: bool,
    path: PyOnceLock<Py<PyString>>,
    body: PyOnceLock<Py<PyBytes>>,
    /// What Django knows of it (api/inside.py), made when somebody asks.
    inside: PyOnceLock<Py<PyAny>>,
}

static INSIDE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

impl Drop for Request {
    fn drop(&mut self) {
        match self.shared.progress() {
            Progress::Ended => return,
            // A native handler's request may go before its result answers.
            Progress::Waiting if !self.must_answer => return,
            Progress::Waiting | Progress::Started => {}
        }
        let shared = Arc::clone(&self.shared);
        // Nobody is left to read an answer, but the connection still waits for the end of this request.
        let command = if shared.is_gone() { Command::Abort { shared } } else { Command::Dropped { shared } };
        self.shared.remote.push(command);
    }
}

/// # Errors
/// ValueError for what is no status of a final answer (RFC 9110 15).
pub fn final_status(status: u16) -> PyResult<()> {
    match status {
        200..=599 => Ok(()),
        _ => Err(PyValueError::new_err(format!("{status} is no status of an answer: it must be from 200 to 599"))),
    }
}

fn gone() -> PyErr {
    PyConnectionError::new_err("the client has gone")
}

fn answered() -> PyErr {
    PyRuntimeError::new_err("this request has been answered already")
}

impl Request {
    pub fn new(py: Python<'_>, shared: Arc<Shared>, must_answer: bool) -> PyResult<Bound<'_, Self>> {
        let (path, body, inside) = (PyOnceLock::new(), PyOnceLock::new(), PyOnceLock::new());
        Bound::new(py, Self { shared, must_answer, path, body, inside })
    }

    /// Has something to add to the answer, whatever that is: a session, a CSRF cookie.
    pub fn touched(&self, py: Python<'_>) -> bool {
        let Some(inside) = self.inside.get(py) else { return false };
        inside.bind(py).getattr("touched").is_ok_and(|touched| touched.is_truthy().unwrap_or(true))
    }

    /// Does it at once on the I/O thread, and asks that thread for it on any other.
    fn ask(&self, py: Python<'_>, command: Command) {
        match crate::engine::here(&self.shared.remote) {
            Some(engine) => engine.obey(py, command),
            None => self.shared.remote.push(command),
        }
    }

    fn path_object<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.path.get_or_init(py, || self.shared.path(py).unbind()).bind(py).clone()
    }
}

#[pymethods]
impl Request {
    fn got_thread(&self) {
        self.shared.begin();
    }

    /// The first pattern that was found holds.
    fn matched(&self, pattern: &str) {
        let _ = self.shared.route.set(format!("/{pattern}").into());
    }

    #[getter]
    fn method<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        latin1(py, self.shared.of(self.shared.head.method_span))
    }

    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        self.path_object(py)
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
    fn http_version(&self) -> &'static str {
        if self.shared.head.minor == 0 { "1.0" } else { "1.1" }
    }

    #[getter]
    fn scheme(&self) -> &'static str {
        if self.shared.https { "https" } else { "http" }
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
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.shared.headers(py)
    }

    fn header<'py>(&self, py: Python<'py>, name: &str) -> Option<Bound<'py, PyString>> {
        self.shared.header(py, name)
    }

    fn meta<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        meta(py, &self.shared, &self.path_object(py))
    }

    #[getter]
    fn content_length(&self) -> Option<u64> {
        let value = self.shared.field(b"content-length")?;
        std::str::from_utf8(value).ok()?.parse().ok()
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let body = self.body.get_or_try_init(py, || match self.shared.body.get() {
            None => Ok(PyBytes::new(py, b"").unbind()),
            Some(Body::Memory(bytes)) => Ok(PyBytes::new(py, bytes).unbind()),
            Some(Body::File(file)) => {
                let size = usize::try_from(file.metadata()?.len())?;
                // Read at an offset: `file` may be read by someone else.
                let fill = |bytes: &mut [u8]| Ok(py.detach(|| file.read_exact_at(bytes, 0))?);
                Ok::<_, PyErr>(PyBytes::new_with(py, size, fill)?.unbind())
            }
        })?;
        Ok(body.bind(py).clone())
    }

    #[getter]
    fn file<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.shared.body.get() {
            Some(Body::File(file)) => {
                let mut own = file.try_clone()?;
                own.rewind()?; // descriptors of one file share their place
                let own = OwnedFd::from(own);
                py.import("os")?.call_method1("fdopen", (own.into_raw_fd(), "rb"))
            }
            _ => py.import("io")?.call_method1("BytesIO", (self.body(py)?,)),
        }
    }

    #[getter]
    fn disconnected(&self) -> bool {
        self.shared.is_gone()
    }

    fn respond(&self, py: Python<'_>, status: u16, headers: &Bound<'_, PyAny>, body: Py<PyBytes>) -> PyResult<()> {
        final_status(status)?;
        let fields = Fields::from_python(headers)?;
        if !self.shared.advance(Progress::Waiting, Progress::Ended) {
            return Err(answered());
        }
        self.ask(py, Command::Respond { shared: Arc::clone(&self.shared), status, fields, body });
        Ok(())
    }

    fn start(&self, py: Python<'_>, status: u16, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        final_status(status)?;
        let fields = Fields::from_python(headers)?;
        if !self.shared.advance(Progress::Waiting, Progress::Started) {
            return Err(answered());
        }
        self.ask(py, Command::Start { shared: Arc::clone(&self.shared), status, fields });
        Ok(())
    }

    fn write(&self, py: Python<'_>, data: Py<PyBytes>) -> PyResult<bool> {
        if self.shared.progress() != Progress::Started {
            return Err(PyRuntimeError::new_err("write() comes after start() and before end()"));
        }
        if self.shared.is_gone() {
            return Err(gone());
        }
        let length = data.as_bytes(py).len();
        self.shared.pending.fetch_add(length, std::sync::atomic::Ordering::AcqRel);
        self.ask(py, Command::Write { shared: Arc::clone(&self.shared), data });
        Ok(self.shared.pending.load(std::sync::atomic::Ordering::Acquire) <= self.shared.high_water)
    }

    fn end(&self, py: Python<'_>) -> PyResult<()> {
        if !self.shared.advance(Progress::Started, Progress::Ended) {
            return Err(PyRuntimeError::new_err("end() comes once, after start()"));
        }
        self.ask(py, Command::End { shared: Arc::clone(&self.shared) });
        Ok(())
    }

    fn abort(&self, py: Python<'_>) {
        let _ = self.shared.advance(Progress::Waiting, Progress::Ended);
        let _ = self.shared.advance(Progress::Started, Progress::Ended);
        self.ask(py, Command::Abort { shared: Arc::clone(&self.shared) });
    }

    #[pyo3(signature = (status, headers, path_or_fd, offset=0, count=None))]
    fn send_file(
        &self,
        py: Python<'_>,
        status: u16,
        headers: &Bound<'_, PyAny>,
        path_or_fd: &Bound<'_, PyAny>,
        offset: u64,
        count: Option<u64>,
    ) -> PyResult<()> {
        let fd = match path_or_fd.extract::<i32>() {
            // SAFETY: the caller's descriptor is open for the time of this call, which keeps a copy of its own.
            Ok(fd) => unsafe { rustix::fd::BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()?,
            Err(_) => OwnedFd::from(std::fs::File::open(path_or_fd.extract::<std::path::PathBuf>()?)?),
        };
        let size = rustix::fs::fstat(&fd).map_err(std::io::Error::from)?.st_size as u64;
        let left = size.saturating_sub(offset);
        let count = count.map_or(left, |count| count.min(left));
        final_status(status)?;
        let fields = Fields::from_python(headers)?;
        if !self.shared.advance(Progress::Waiting, Progress::Ended) {
            return Err(answered());
        }
        debug_assert!(fd.as_raw_fd() >= 0);
        self.ask(
            py,
            Command::File { shared: Arc::clone(&self.shared), status, fields, part: Part { fd, offset, count } },
        );
        Ok(())
    }

    fn drained(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        let engine = self.engine()?;
        let event_loop = engine.parts.event_loop(py);
        if self.shared.is_gone() {
            return Py::new(py, Waiter::failed(py, &event_loop, gone()));
        }
        if self.shared.pending.load(std::sync::atomic::Ordering::Acquire) <= self.shared.high_water {
            return Py::new(py, Waiter::ready(py, &event_loop, py.None()));
        }
        let waiter = Py::new(py, Waiter::pending(py, &event_loop))?;
        let waits = waiter.clone_ref(py).into_any();
        match engine.with(self.shared.token, |conn| conn.drained.push(waits)) {
            Some(()) => Ok(waiter),
            None => Py::new(py, Waiter::failed(py, &event_loop, gone())),
        }
    }

    fn wait_drained(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        if crate::engine::here(&self.shared.remote).is_some() {
            return Err(PyRuntimeError::new_err("the I/O thread cannot wait: await drained() there"));
        }
        let timeout =
            Duration::try_from_secs_f64(timeout).map_err(|error| PyTimeoutError::new_err(error.to_string()))?;
        let drained = py.detach(|| self.shared.wait_drained(self.shared.high_water, timeout));
        if self.shared.is_gone() { Err(gone()) } else { Ok(drained) }
    }

    fn read(&self, py: Python<'_>) -> PyResult<Py<Waiter>> {
        let engine = self.engine()?;
        let event_loop = engine.parts.event_loop(py);
        let next = engine.for_answer(&self.shared, |conn, token| engine.next_chunk(conn, token));
        if let Some(Some(chunk)) = next {
            let bytes = PyBytes::new(py, chunk.as_deref().unwrap_or_default());
            return Py::new(py, Waiter::ready(py, &event_loop, bytes.into_any().unbind()));
        }
        if self.shared.is_gone() {
            return Py::new(py, Waiter::failed(py, &event_loop, gone()));
        }
        let waiter = Py::new(py, Waiter::pending(py, &event_loop))?;
        let reader = waiter.clone_ref(py).into_any();
        let waits = engine.for_answer(&self.shared, |conn, _| match conn.current.chunks.as_mut() {
            Some(chunks) if chunks.reader.as_ref().is_none_or(|reader| !super::waiter::waits(py, reader)) => {
                chunks.reader = Some(reader);
                true
            }
            _ => false,
        });
        if waits == Some(true) {
            Ok(waiter)
        } else {
            Err(PyRuntimeError::new_err("the body is being read already, is not a stream, or its request is answered"))
        }
    }

    fn on_disconnect(&self, py: Python<'_>, callback: Py<PyAny>) {
        self.ask(py, Command::OnDisconnect { shared: Arc::clone(&self.shared), callback });
    }

    #[getter]
    fn _inside<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let inside = self.inside.get_or_try_init(py, || {
            let make = INSIDE.import(py, "django_rivet.api.inside", "Inside")?;
            // Another object for the same request: one that held this one would never be freed.
            let twin = Self::new(py, Arc::clone(&self.shared), false)?;
            make.call1((twin,)).map(Bound::unbind)
        })?;
        Ok(inside.bind(py))
    }

    #[getter]
    fn _touched(&self, py: Python<'_>) -> bool {
        self.touched(py)
    }

    #[getter]
    fn _answered(&self) -> bool {
        self.shared.progress() != Progress::Waiting
    }

    #[getter]
    fn django<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self._inside(py)?.getattr("django")
    }

    #[getter]
    fn session<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self._inside(py)?.getattr("session")
    }

    #[getter]
    fn user<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self._inside(py)?.getattr("user")
    }

    #[setter]
    fn set_user(&self, py: Python<'_>, user: Bound<'_, PyAny>) -> PyResult<()> {
        self._inside(py)?.setattr("user", user)
    }

    fn asession<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self._inside(py)?.call_method0("asession")
    }

    fn auser<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self._inside(py)?.call_method0("auser")
    }

    fn __repr__(&self) -> String {
        let (method, target) = self.shared.method_and_target();
        format!("<Request {method} {target}>")
    }
}

impl Request {
    fn engine(&self) -> PyResult<std::rc::Rc<crate::engine::Engine>> {
        crate::engine::here(&self.shared.remote)
            .ok_or_else(|| PyRuntimeError::new_err("this is for the thread of the event loop"))
    }
}
