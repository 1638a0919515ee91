//! django_rivet._core.Reactor: asyncio's selector. Documented in python/django_rivet/_core.pyi.

use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use rustix::fd::{BorrowedFd, RawFd};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::exporter::PoolMeter;
use super::gil::Gil;
use super::waiter::Waiter;
use crate::engine::cors::{self, Policy};
use crate::engine::native::{Handler, Kind};
use crate::engine::options::{Options, milliseconds};
use crate::engine::remote::Remote;
use crate::engine::routes::{Given, Routes, canonical};
use crate::engine::settle::Settle;
use crate::engine::turn::asyncio_token;
use crate::engine::{Engine, Fallback, set_current};
use crate::files::Files;
use crate::metrics::Form;
use crate::net::listener::Listener;
use crate::net::poll::Flags;

/// selectors.EVENT_READ, EVENT_WRITE
const READ: u32 = 1;
const WRITE: u32 = 2;

/// Ends the reactor's sleep, from any thread.
#[pyclass(module = "django_rivet._core", frozen)]
pub struct Waker(Arc<Remote>);

#[pymethods]
impl Waker {
    fn __call__(&self) {
        self.0.tell();
    }
}

#[pyclass(module = "django_rivet._core", unsendable, frozen)]
pub struct Reactor {
    engine: Rc<Engine>,
    /// asyncio's file descriptors and their SelectorKeys.
    keys: Py<PyDict>,
    /// selectors.SelectorKey
    key: Py<PyAny>,
}

fn flags(events: u32) -> PyResult<Flags> {
    match events {
        1 => Ok(Flags::IN),
        2 => Ok(Flags::OUT),
        3 => Ok(Flags::IN | Flags::OUT),
        _ => Err(PyValueError::new_err(format!("Invalid events: {events}"))),
    }
}

fn fileno(object: &Bound<'_, PyAny>) -> PyResult<RawFd> {
    let number: Result<RawFd, _> = object.extract();
    let number = number.or_else(|_| object.call_method0("fileno").and_then(|number| number.extract()));
    match number {
        Ok(number) if number >= 0 => Ok(number),
        _ => Err(PyValueError::new_err(format!("Invalid file object: {object}"))),
    }
}

/// SAFETY of its use: the descriptor is asyncio's, which unregisters it before it is closed.
fn borrowed<'fd>(fd: RawFd) -> BorrowedFd<'fd> {
    // SAFETY: see above; a descriptor that is closed all the same makes epoll_ctl fail, nothing worse.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

impl Reactor {
    fn new_key<'py>(
        &self,
        py: Python<'py>,
        file: &Bound<'py, PyAny>,
        fd: RawFd,
        events: u32,
        data: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.key.bind(py).call1((file, fd, events, data))
    }
}

#[pymethods]
impl Reactor {
    #[new]
    fn new(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let engine = Rc::new(Engine::new(py, Options::from_python(options)?)?);
        let key = py.import("selectors")?.getattr("SelectorKey")?.unbind();
        Ok(Self { engine, keys: PyDict::new(py).unbind(), key })
    }

    fn attach(&self, event_loop: &Bound<'_, PyAny>) -> PyResult<Vec<&'static str>> {
        let missing = self.engine.parts.attach(event_loop)?;
        set_current(Some(Rc::clone(&self.engine)));
        Ok(missing)
    }

    fn listen(&self, fd: RawFd) -> PyResult<()> {
        let own = borrowed(fd).try_clone_to_owned()?;
        if !rustix::net::sockopt::socket_acceptconn(&own).map_err(std::io::Error::from)? {
            return Err(PyValueError::new_err(format!("descriptor {fd} is no listening socket")));
        }
        let listener = Listener::new(own).map_err(std::io::Error::from)?;
        Ok(self.engine.listen(listener).map_err(std::io::Error::from)?)
    }

    #[pyo3(signature = (routes, context=None))]
    fn native(&self, py: Python<'_>, routes: Vec<Given>, context: Option<Py<PyAny>>) -> PyResult<()> {
        self.engine.native_context.replace(context);
        let mut table = Vec::with_capacity(routes.len());
        for given in routes {
            let (method, path, callable, kind, settle, limits) = given.parts();
            let slot = self.engine.metrics.borrow_mut().route(&method, &path);
            let names = canonical(&path).1;
            let inline = &self.engine.options.inline;
            // Without a way to leave the loop blocking code fails on this thread.
            let kind = if self.engine.parts.leaves_loop() { kind } else { on_pool(kind) };
            let handler = Rc::new(Handler {
                settle: settle.map(|call| Arc::new(Settle { call, plain: limits.plain })),
                max_body: limits.max_body,
                timeout: milliseconds(limits.timeout),
                codings: self.engine.name_codings(&limits.compression)?,
                ..handler(py, callable, &kind, slot, names, inline)?
            });
            table.push((method, path, handler));
        }
        let routes = Routes::build(table).map_err(PyValueError::new_err)?;
        self.engine.routes.replace(Rc::new(routes));
        Ok(())
    }

    fn cors(&self, py: Python<'_>, policy: cors::Given) {
        self.engine.cors.replace(Some(Rc::new(Policy::new(py, policy))));
    }

    #[pyo3(signature = (handler, *, stream_body=false))]
    fn fallback(&self, handler: Py<PyAny>, stream_body: bool) {
        self.engine.fallback.replace(Some(Fallback { handler, stream_body }));
    }

    fn websocket(&self, handler: Py<PyAny>) {
        self.engine.on_websocket.replace(Some(handler));
    }

    #[pyo3(signature = (submit, tidy=None))]
    fn pool(&self, submit: Py<PyAny>, tidy: Option<Py<PyAny>>) {
        self.engine.pool.replace(Some(submit));
        self.engine.on_tidy.replace(tidy);
    }

    #[pyo3(signature = (prefix, root, *, immutable=false))]
    fn files(&self, prefix: &str, root: &str, immutable: bool) -> PyResult<()> {
        let files = Files::new(prefix, Path::new(root), immutable, self.engine.options.static_cache);
        let files = files.map_err(PyValueError::new_err)?;
        let slot = self.engine.metrics.borrow_mut().route("GET", &format!("{prefix}{{path}}"));
        self.engine.files.borrow_mut().push((slot, files));
        Ok(())
    }

    fn waiter(&self, py: Python<'_>) -> Waiter {
        Waiter::remote(py, &self.engine.parts.event_loop(py), &self.engine.remote)
    }

    fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.engine.remote))
    }

    fn refuse_new(&self) {
        self.engine.refuse_new();
    }

    fn drain(&self, py: Python<'_>) {
        self.engine.drain(py);
    }

    fn idle(&self) -> bool {
        self.engine.in_flight.get() == 0 && self.engine.slab.borrow().count() == 0
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        stats.set_item("connections", self.engine.slab.borrow().count())?;
        stats.set_item("in_flight", self.engine.in_flight.get())?;
        stats.set_item("websockets", self.engine.websockets.get())?;
        stats.set_item("requests", self.engine.metrics.borrow().requests())?;
        Ok(stats)
    }

    fn pool_meter(&self) -> PoolMeter {
        PoolMeter(self.engine.metrics.borrow().pool())
    }

    fn metrics(&self) -> String {
        self.engine.metrics.borrow().totals().render(Form::Text)
    }

    // asyncio's part: https://docs.python.org/3/library/selectors.html#selectors.BaseSelector

    #[pyo3(signature = (fileobj, events, data=None))]
    fn register<'py>(
        &self,
        py: Python<'py>,
        fileobj: &Bound<'py, PyAny>,
        events: u32,
        data: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let fd = fileno(fileobj)?;
        let keys = self.keys.bind(py);
        if keys.contains(fd)? {
            return Err(PyKeyError::new_err(format!("{fileobj} (FD {fd}) is already registered")));
        }
        let key = self.new_key(py, fileobj, fd, events, data)?;
        let added = self.engine.poll.add(borrowed(fd), asyncio_token(fd), flags(events)?);
        added.map_err(std::io::Error::from)?;
        keys.set_item(fd, &key)?;
        Ok(key)
    }

    fn unregister<'py>(&self, py: Python<'py>, fileobj: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let key = self.get_key(py, fileobj)?;
        let fd: RawFd = key.getattr("fd")?.extract()?;
        self.keys.bind(py).del_item(fd)?;
        // It may have been closed already: then epoll has forgotten it by itself.
        let _ = self.engine.poll.remove(borrowed(fd));
        Ok(key)
    }

    #[pyo3(signature = (fileobj, events, data=None))]
    fn modify<'py>(
        &self,
        py: Python<'py>,
        fileobj: &Bound<'py, PyAny>,
        events: u32,
        data: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let old = self.get_key(py, fileobj)?;
        let fd: RawFd = old.getattr("fd")?.extract()?;
        let key = self.new_key(py, &old.getattr("fileobj")?, fd, events, data)?;
        let modified = self.engine.poll.modify(borrowed(fd), asyncio_token(fd), flags(events)?);
        modified.map_err(std::io::Error::from)?;
        self.keys.bind(py).set_item(fd, &key)?;
        Ok(key)
    }

    #[pyo3(signature = (timeout=None))]
    fn select<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyList>> {
        let mut fired = Vec::new();
        self.engine.select(py, timeout, &mut fired)?;
        let ready = PyList::empty(py);
        let keys = self.keys.bind(py);
        for (fd, happened) in fired {
            let Some(key) = keys.get_item(fd)? else { continue };
            let mut events = 0;
            // As selectors.EpollSelector has it: an error or hang-up wakes readers and writers alike.
            if happened.intersects(!Flags::IN) {
                events |= WRITE;
            }
            if happened.intersects(!Flags::OUT) {
                events |= READ;
            }
            events &= key.getattr("events")?.extract::<u32>()?;
            if events != 0 {
                ready.append(PyTuple::new(py, [key, events.into_pyobject(py)?.into_any()])?)?;
            }
        }
        Ok(ready)
    }

    fn get_key<'py>(&self, py: Python<'py>, fileobj: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let keys = self.keys.bind(py);
        if let Ok(fd) = fileno(fileobj) {
            return keys.get_item(fd)?.ok_or_else(|| PyKeyError::new_err(format!("{fileobj} is not registered")));
        }
        // A file object that has been closed no longer tells its number.
        for (_, key) in keys {
            if key.getattr("fileobj")?.is(fileobj) {
                return Ok(key);
            }
        }
        Err(PyKeyError::new_err(format!("{fileobj} is not registered")))
    }

    fn get_map<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.keys.bind(py).clone()
    }

    fn close(&self, py: Python<'_>) {
        self.keys.bind(py).clear();
        self.engine.shut(py);
        set_current(None);
    }
}

fn handler(
    py: Python<'_>,
    callable: Py<PyAny>,
    kind: &str,
    slot: u16,
    names: Vec<String>,
    inline: &str,
) -> PyResult<Handler> {
    let (kind, request) = kind.strip_suffix("+request").map_or((kind, false), |kind| (kind, true));
    let kind = match kind {
        "async" if !suspends(py, callable.bind(py))? => Kind::Ready,
        "async" => Kind::Async,
        "sync" if inline == "never" => Kind::Pool,
        "sync" if inline == "always" => Kind::Inline,
        "sync" => Kind::Learn,
        "inline" => Kind::Inline,
        "pool" => Kind::Pool,
        other => return Err(PyValueError::new_err(format!("{other:?} is none of async, sync, inline, pool"))),
    };
    let learnt = Arc::new(Gil::new(Default::default()));
    Ok(Handler { callable, kind, request, slot, names, settle: None, max_body: None, timeout: 0, codings: 0, learnt })
}

/// The kind of a handler where no blocking code may run on the I/O thread.
fn on_pool(kind: String) -> String {
    if kind.starts_with("async") {
        return kind;
    }
    if kind.ends_with("+request") { "pool+request".to_owned() } else { "pool".to_owned() }
}

/// May the coroutine of this function wait? Not when its code has neither `await` nor what contains one; a wrapper tells
/// it of what it wraps by its attribute `__suspends__`.
#[pyfunction]
pub fn suspends(py: Python<'_>, function: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Some(told) = function.getattr_opt(pyo3::intern!(py, "__suspends__"))? {
        return told.is_truthy();
    }
    if !function.is_instance(&py.import("types")?.getattr("FunctionType")?)? {
        return Ok(true);
    }
    let code = function.getattr("__code__")?;
    for instruction in py.import("dis")?.call_method1("get_instructions", (code,))?.try_iter()? {
        let name: String = instruction?.getattr("opname")?.extract()?;
        if matches!(name.as_str(), "GET_AWAITABLE" | "GET_ANEXT" | "SEND" | "YIELD_VALUE" | "BEFORE_ASYNC_WITH") {
            return Ok(true);
        }
    }
    Ok(false)
}
