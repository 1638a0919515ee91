//! The end of a request: what is counted, logged and told, and what its connection does next.

use pyo3::prelude::*;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Engine;
use super::conn::{Conn, Current, Exchange, State};
use super::options::milliseconds;
use super::shared::{Shared, id_is_good};
use super::slab::Token;
use crate::http::Refusal;
use crate::http::head::Head;
use crate::log::{Record, Sink, frame};
use crate::metrics::Counter;

/// The access log of a turn, and where it goes.
pub struct AccessLog {
    pub sink: Sink,
    /// Paths of which only errors are of interest.
    pub skip: Vec<Box<[u8]>>,
    frames: Vec<u8>,
    count: u64,
}

impl AccessLog {
    pub fn new(sink: Sink, skip: &str) -> Self {
        let skip = skip.split(',').filter(|path| !path.is_empty()).map(|path| path.as_bytes().into()).collect();
        Self { sink, skip, frames: Vec::new(), count: 0 }
    }

    pub fn push(&mut self) {
        self.sink.push(&mut self.frames, std::mem::take(&mut self.count));
    }
}

impl Engine {
    /// An answer is complete, as far as the engine is concerned: `sent` bytes of it lie in the connection's output.
    #[allow(clippy::too_many_arguments)]
    pub fn answered(
        &self,
        py: Python<'_>,
        token: Token,
        exchange: Exchange,
        (head, bytes): (&Head, &[u8]),
        status: u16,
        sent: usize,
        keep_alive: bool,
    ) {
        let micros = self.clock.micros().saturating_sub(exchange.started);
        let done = self.with(token, |conn| (conn.peer, self.next_request(conn, token, keep_alive)));
        let exchange = self.routed(exchange, done.as_ref().and_then(|(_, current)| current.shared.as_deref()));
        self.metrics.borrow().record(exchange.route, status, micros);
        if let Some((peer, mut current)) = done {
            let shared = current.shared.as_deref();
            self.log_line(peer, exchange, Some((head, bytes)), shared, status, sent as u64, micros);
            if current.counted {
                self.uncount(&mut current);
                for waiter in current.drained {
                    crate::py::waiter::resolve(py, &waiter);
                }
            }
        }
    }

    /// With the route that Django has found, if it has said so.
    fn routed(&self, exchange: Exchange, shared: Option<&Shared>) -> Exchange {
        let Some((shared, pattern)) = shared.and_then(|shared| Some((shared, shared.route.get()?))) else {
            return exchange;
        };
        Exchange { route: self.metrics.borrow_mut().late_route(shared.head.method, pattern), ..exchange }
    }

    /// Readies the connection for what comes next; returns what it knew of the request that has ended.
    fn next_request(&self, conn: &mut Conn, token: Token, keep_alive: bool) -> Current {
        let unread = conn.receiving();
        conn.state = State::Head;
        if !keep_alive || unread || conn.eof {
            conn.closing = true;
            conn.input = Vec::new();
        } else {
            let wait = if conn.input.is_empty() { self.options.keep_alive } else { self.options.header_timeout };
            conn.read_deadline = self.clock.now() + milliseconds(wait);
            self.resume(conn, token);
        }
        self.mark(conn, token);
        if conn.current.counted { std::mem::take(&mut conn.current) } else { Current::default() }
    }

    /// From here on the request is in flight.
    pub fn count(&self, token: Token) {
        let _ = self.with(token, |conn| {
            if !std::mem::replace(&mut conn.current.counted, true) {
                self.in_flight.set(self.in_flight.get() + 1);
            }
        });
    }

    pub fn uncount(&self, current: &mut Current) {
        if std::mem::take(&mut current.counted) {
            self.in_flight.set(self.in_flight.get().saturating_sub(1));
        }
    }

    /// The client has gone before its answer was complete: whoever works for it hears so.
    pub fn gone(&self, py: Python<'_>, current: Current) {
        if let Some(shared) = &current.shared {
            shared.set_gone();
        }
        let error = || pyo3::exceptions::PyConnectionError::new_err("the client has gone");
        for waiter in current.drained {
            crate::py::waiter::resolve_with(py, &waiter, Err(error()));
        }
        if let Some(reader) = current.chunks.and_then(|chunks| chunks.reader) {
            crate::py::waiter::resolve_with(py, &reader, Err(error()));
        }
        for callback in current.on_disconnect {
            self.call_soon(py, &callback);
        }
    }

    /// The client of a request in flight has shut its side: it is told once, an answer may still be tried.
    pub fn client_left(&self, py: Python<'_>, token: Token) {
        let told = self.with(token, |conn| {
            if let Some(shared) = &conn.current.shared {
                shared.set_gone();
            }
            let reader = conn.current.chunks.as_mut().and_then(|chunks| chunks.reader.take());
            (std::mem::take(&mut conn.current.on_disconnect), reader, conn.take_drained())
        });
        if let Some((callbacks, reader, drained)) = told {
            let current = Current {
                on_disconnect: callbacks,
                drained,
                chunks: reader
                    .map(|reader| Box::new(super::receive::Chunks { reader: Some(reader), ..Default::default() })),
                ..Current::default()
            };
            self.gone(py, current);
        }
    }

    pub fn on_disconnect(&self, py: Python<'_>, shared: &Arc<Shared>, callback: Py<PyAny>) {
        if shared.is_gone() {
            return self.call_soon(py, &callback);
        }
        self.for_answer(shared, |conn, _| conn.current.on_disconnect.push(callback));
    }

    /// Through asyncio's queue: a callback may belong to a Task that runs at this moment.
    pub fn call_soon(&self, py: Python<'_>, callback: &Py<PyAny>) {
        let event_loop = self.parts.event_loop(py);
        if let Err(error) = event_loop.call_method1(py, "call_soon", (callback,)) {
            error.write_unraisable(py, None);
        }
    }

    pub fn log_cut(&self, conn: &Conn) {
        self.metrics.borrow().add(Counter::Aborted, 1);
        let micros = self.clock.micros().saturating_sub(conn.current.exchange.started);
        let shared = conn.current.shared.as_deref();
        let line = shared.map(|shared| (&shared.head, &*shared.bytes));
        let exchange = self.routed(conn.current.exchange, shared);
        // nginx's word for a client that has closed; it never goes over the wire.
        let status = if conn.current.status == 0 { 499 } else { conn.current.status };
        self.log_line(conn.peer, exchange, line, shared, status, conn.current.sent, micros);
    }

    /// A request that is none has been answered by the engine: it is counted and logged.
    pub fn refused(
        &self,
        peer: Option<SocketAddr>,
        exchange: Exchange,
        line: Option<(&Head, &[u8])>,
        shared: Option<&Shared>,
        refusal: &Refusal,
    ) {
        let micros = if exchange.started > 0 { self.clock.micros().saturating_sub(exchange.started) } else { 0 };
        let metrics = self.metrics.borrow();
        metrics.add(Counter::RefusedInvalid, 1);
        metrics.record(exchange.route, refusal.status, micros);
        drop(metrics);
        self.log_line(peer, exchange, line, shared, refusal.status, 0, micros);
    }

    #[allow(clippy::too_many_arguments)]
    pub fn log_line(
        &self,
        peer: Option<SocketAddr>,
        exchange: Exchange,
        line: Option<(&Head, &[u8])>,
        shared: Option<&Shared>,
        status: u16,
        sent: u64,
        micros: u64,
    ) {
        let mut log = self.log.borrow_mut();
        let Some(log) = log.as_mut() else { return };
        let address = peer.map(|peer| peer.ip());
        let metrics = self.metrics.borrow();
        let mut record = Record {
            unix_ms: self.clock.unix_ms(),
            status,
            bytes: sent,
            received: exchange.received,
            micros,
            first: if exchange.first == 0 { micros } else { exchange.first.saturating_sub(exchange.started) },
            queued: shared.map_or(0, |shared| shared.queued.load(Ordering::Relaxed)),
            route: metrics.pattern(exchange.route).as_bytes(),
            ..Record::default()
        };
        let mut forwarded = shared.and_then(|shared| shared.forwarded);
        if let Some((head, bytes)) = line {
            if status < 400 && log.skip.iter().any(|path| **path == *head.path.of(bytes)) {
                return;
            }
            let trusted = self.trusted.trusts(address);
            record.method = head.method_span.of(bytes);
            record.target = head.target.of(bytes);
            record.minor = head.minor;
            record.referer = head.field(bytes, b"referer").unwrap_or_default();
            record.agent = head.field(bytes, b"user-agent").unwrap_or_default();
            let given = if trusted { head.field(bytes, b"x-request-id") } else { None };
            record.id = given.filter(|id| id_is_good(id)).unwrap_or_default();
            record.number = (self.remote.boot, shared.map_or(self.numbers.get(), |shared| shared.number));
            if forwarded.is_none() && trusted {
                let fields = head.fields.iter();
                let values = fields.filter(|(name, _)| name.of(bytes).eq_ignore_ascii_case(b"x-forwarded-for"));
                forwarded = self.trusted.client(address, values.map(|(_, value)| value.of(bytes)));
            }
        }
        let mut client = [0u8; 48];
        record.client = super::text::address(&mut client, forwarded.or(address));
        frame::put(&mut log.frames, &record);
        log.count += 1;
    }

    /// Gives the turn's lines to the writer.
    pub fn push_log(&self) {
        if let Some(log) = self.log.borrow_mut().as_mut() {
            log.push();
        }
    }
}
