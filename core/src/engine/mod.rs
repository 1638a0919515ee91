//! The engine: one thread's sockets, connections and requests. It is driven by `turn`, from asyncio's `select()`.
//!
//! Python code that a turn calls may call back into the engine, so no borrow of a cell is held across such a call.

pub mod answer;
pub mod clock;
pub mod conn;
pub mod cors;
pub mod dispatch;
pub mod fields;
pub mod finish;
pub mod flush;
pub mod held;
pub mod learnt;
pub mod native;
pub mod options;
pub mod output;
pub mod panics;
pub mod read;
pub mod receive;
pub mod remote;
pub mod reserve;
pub mod routes;
pub mod settle;
pub mod shared;
pub mod slab;
pub mod socket;
pub mod squeeze;
pub mod statics;
pub mod store;
pub mod stream;
pub mod sweep;
pub mod text;
pub mod turn;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rustix::fd::BorrowedFd;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use self::clock::Clock;
use self::cors::Policy;
use self::finish::AccessLog;
use self::options::Options;
use self::remote::{Command, Remote};
use self::routes::Routes;
use self::slab::{Slab, Token};
use crate::compress;
use crate::files::Files;
use crate::http::head::{Head, Limits};
use crate::log::{Format, Sink};
use crate::metrics::Metrics;
use crate::net::listener::Listener;
use crate::net::poll::{Events, Poll};
use crate::proxy::Trusted;
use crate::py::parts::Parts;
use crate::ws;

/// Bytes of access log that may wait for their writer.
const LOG_BUFFER: usize = 4 << 20;

/// Sockets served in one turn.
const EVENTS: usize = 256;

/// Bytes read from a socket at once.
const SCRATCH: usize = 64 << 10;

pub struct Engine {
    pub options: Options,
    limits: Limits,
    trusted: Trusted,
    pub poll: Poll,
    pub slab: RefCell<Slab>,
    pub listeners: RefCell<Vec<Rc<Listener>>>,
    accepting: Cell<bool>,
    /// Accepting waits for the next sweep: there was no descriptor left for a connection.
    resting: Cell<bool>,
    draining: Cell<bool>,
    dirty: RefCell<Vec<Token>>,
    ready: RefCell<VecDeque<Token>>,
    /// Buffers of connections that have nothing to send.
    spare: RefCell<Vec<Vec<u8>>>,
    /// Taken while it is read into.
    scratch: Cell<Box<[u8]>>,
    /// Taken while it is parsed into: its list of fields keeps its memory.
    head: Cell<Head>,
    pub remote: Arc<Remote>,
    commands: RefCell<Vec<Command>>,
    pub clock: Clock,
    next_sweep: Cell<u64>,
    pub routes: RefCell<Rc<Routes>>,
    pub cors: RefCell<Option<Rc<Policy>>>,
    /// Static files, with the slots of their routes.
    pub files: RefCell<Vec<(u16, Files)>>,
    pub fallback: RefCell<Option<Fallback>>,
    pub on_websocket: RefCell<Option<Py<PyAny>>>,
    pub pool: RefCell<Option<Py<PyAny>>>,
    /// Called after blocking code has run on this thread: at once when it failed, else with the next sweep.
    pub on_tidy: RefCell<Option<Py<PyAny>>>,
    /// What each call of a native handler has a copy of.
    pub native_context: RefCell<Option<Py<PyAny>>>,
    untidy: Cell<bool>,
    pub in_flight: Cell<usize>,
    /// Bytes of all bodies in memory.
    bodies: Arc<AtomicUsize>,
    pub websockets: Cell<usize>,
    /// Bytes that all WebSockets hold of messages.
    pub messages: Rc<Cell<usize>>,
    numbers: Cell<u64>,
    pub metrics: RefCell<Metrics>,
    log: RefCell<Option<AccessLog>>,
    compression: Option<Rc<compress::Settings>>,
    /// What routes have instead, each once.
    own_codings: RefCell<Vec<(String, Option<Rc<compress::Settings>>)>>,
    encoders: RefCell<compress::Encoders>,
    pub sockets: ws::Settings,
    events: Cell<Events>,
    pub parts: Parts,
}

pub struct Fallback {
    pub handler: Py<PyAny>,
    pub stream_body: bool,
}

impl Engine {
    /// # Errors
    /// ValueError for an option that cannot be, OSError when the system lacks what the engine needs.
    pub fn new(py: Python<'_>, options: Options) -> PyResult<Self> {
        let wrong = |error: String| PyValueError::new_err(error);
        let log = match Format::parse(&options.access_log).map_err(wrong)? {
            None => None,
            Some(format) => {
                // SAFETY: the caller's descriptor is open for the time of this call, which keeps a copy of its own.
                let fd = unsafe { BorrowedFd::borrow_raw(options.access_log_fd) }.try_clone_to_owned()?;
                let sink = Sink::start(fd, LOG_BUFFER, format)?;
                Some(AccessLog::new(sink, &options.access_log_skip))
            }
        };
        let page = options.metrics_fd;
        // SAFETY: as above; the page is mapped.
        let metrics = Metrics::new((page >= 0).then(|| unsafe { BorrowedFd::borrow_raw(page) }), &options.health_path)?;
        let engine = Self {
            limits: options.head_limits(),
            trusted: Trusted::parse(&options.trusted_proxies).map_err(wrong)?,
            compression: compress::Settings::parse(&options.compression, options.compression_min)
                .map_err(wrong)?
                .map(Rc::new),
            own_codings: RefCell::default(),
            sockets: ws::Settings {
                max_message: options.ws_max_message,
                deflate: options.ws_deflate,
                ..ws::Settings::default()
            },
            poll: Poll::new().map_err(std::io::Error::from)?,
            slab: RefCell::default(),
            listeners: RefCell::default(),
            accepting: Cell::new(false),
            resting: Cell::new(false),
            draining: Cell::new(false),
            dirty: RefCell::default(),
            ready: RefCell::default(),
            spare: RefCell::default(),
            scratch: Cell::new(vec![0; SCRATCH].into_boxed_slice()),
            head: Cell::default(),
            remote: Arc::new(Remote::new().map_err(std::io::Error::from)?),
            commands: RefCell::default(),
            clock: Clock::default(),
            next_sweep: Cell::new(0),
            routes: RefCell::default(),
            cors: RefCell::default(),
            files: RefCell::default(),
            fallback: RefCell::default(),
            on_websocket: RefCell::default(),
            pool: RefCell::default(),
            on_tidy: RefCell::default(),
            native_context: RefCell::default(),
            untidy: Cell::new(false),
            in_flight: Cell::new(0),
            bodies: Arc::default(),
            websockets: Cell::new(0),
            messages: Rc::default(),
            numbers: Cell::new(0),
            metrics: RefCell::new(metrics),
            log: RefCell::new(log),
            encoders: RefCell::default(),
            events: Cell::new(Events::with_capacity(EVENTS)),
            parts: Parts::new(py)?,
            options,
        };
        engine.watch_remote().map_err(std::io::Error::from)?;
        Ok(engine)
    }
}

impl Engine {
    /// Ends every connection and lets go of Python's objects.
    pub fn shut(&self, py: Python<'_>) {
        self.pause();
        let tokens: Vec<Token> = self.slab.borrow_mut().iter_mut().map(|(token, _)| token).collect();
        for token in tokens {
            self.close(py, token);
        }
        self.listeners.borrow_mut().clear();
        self.fallback.replace(None);
        self.on_websocket.replace(None);
        self.pool.replace(None);
        self.on_tidy.replace(None);
        self.native_context.replace(None);
        self.routes.replace(Rc::default());
        self.cors.replace(None);
        if let Some(log) = self.log.borrow_mut().as_mut() {
            log.push();
            py.detach(|| log.sink.close(Duration::from_secs(1)));
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Engine>>> = const { RefCell::new(None) };
}

/// This thread's engine.
pub fn current() -> Option<Rc<Engine>> {
    CURRENT.with_borrow(Clone::clone)
}

/// The engine of these answers, when we are on its thread.
pub fn here(remote: &Arc<Remote>) -> Option<Rc<Engine>> {
    current().filter(|engine| Arc::ptr_eq(&engine.remote, remote))
}

/// Makes it this thread's engine; None ends that.
pub fn set_current(engine: Option<Rc<Engine>>) {
    CURRENT.set(engine);
}
