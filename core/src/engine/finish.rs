//! The end of a request: what is counted, logged and told, and what its connection does next.

use pyo3::exceptions::PyConnectionError;
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
use crate::http::head::Line;
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

/// An answer that lies in its connection's output.
#[derive(Clone, Copy)]
pub struct Answered {
    pub status: u16,
    /// Bytes, head and body.
    pub sent: u64,
    /// May another request follow?
    pub keep_alive: bool,
}

/// How a request has ended, in numbers: `sent` as in `Answered`, and how long it took.
pub struct Ended {
    pub status: u16,
    pub sent: u64,
    pub micros: u64,
}

impl Engine {
    /// An answer is complete, as far as the engine is concerned.
    pub fn answered(&self, py: Python<'_>, token: Token, exchange: Exchange, line: Line<'_>, answer: Answered) {
        let micros = self.clock.micros().saturating_sub(exchange.started);
        let Answered { status, sent, keep_alive } = answer;
        let done = self.with(token, |conn| (conn.peer, self.next_request(conn, token, keep_alive)));
        let Some((peer, mut current)) = done else { return };
        let shared = current.shared.as_deref();
        let exchange = self.routed(exchange, shared);
        self.note(peer, exchange, Some(line), shared, Ended { status, sent, micros });
        if current.counted {
            self.uncount(&mut current);
            if let Some(reader) = current.chunks.and_then(|chunks| chunks.reader) {
                let error = PyConnectionError::new_err("the request has been answered: its body is read no more");
                crate::py::waiter::resolve_later(py, &self.remote, &reader, Err(error));
            }
        }
    }

    /// Counts and logs a request that has ended.
    pub fn note(
        &self,
        peer: Option<SocketAddr>,
        exchange: Exchange,
        line: Option<Line<'_>>,
        shared: Option<&Shared>,
        ended: Ended,
    ) {
        self.metrics.borrow().record(exchange.route, ended.status, ended.micros);
        self.log_line(peer, exchange, line, shared, ended);
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
            self.await_head(conn);
            self.resume(conn, token);
        }
        self.mark(conn, token);
        if conn.current.counted { std::mem::take(&mut conn.current) } else { Current::default() }
    }

    /// Gives the peer its time until the next request.
    pub fn await_head(&self, conn: &mut Conn) {
        let wait = if conn.input.is_empty() { self.options.keep_alive } else { self.options.header_timeout };
        conn.read_deadline = self.clock.now() + milliseconds(wait);
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
    pub fn gone(&self, py: Python<'_>, current: Current, drained: Vec<Py<PyAny>>) {
        if let Some(shared) = &current.shared {
            shared.set_gone();
        }
        let error = || PyConnectionError::new_err("the client has gone");
        for waiter in drained {
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
            (std::mem::take(&mut conn.current.on_disconnect), reader, std::mem::take(&mut conn.drained))
        });
        if let Some((callbacks, reader, drained)) = told {
            let current = Current {
                on_disconnect: callbacks,
                chunks: reader
                    .map(|reader| Box::new(super::receive::Chunks { reader: Some(reader), ..Default::default() })),
                ..Current::default()
            };
            self.gone(py, current, drained);
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
        let line = shared.map(Shared::line);
        let exchange = self.routed(conn.current.exchange, shared);
        // nginx's word for a client that has closed; it never goes over the wire.
        let status = if conn.current.status == 0 { 499 } else { conn.current.status };
        self.log_line(conn.peer, exchange, line, shared, Ended { status, sent: conn.current.sent, micros });
    }

    /// A request that is none has been answered by the engine: it is counted and logged.
    pub fn refused(
        &self,
        peer: Option<SocketAddr>,
        exchange: Exchange,
        line: Option<Line<'_>>,
        shared: Option<&Shared>,
        refusal: &Refusal,
    ) {
        let micros = if exchange.started > 0 { self.clock.micros().saturating_sub(exchange.started) } else { 0 };
        self.metrics.borrow().add(Counter::RefusedInvalid, 1);
        self.note(peer, exchange, line, shared, Ended { status: refusal.status, sent: 0, micros });
    }

    fn log_line(
        &self,
        peer: Option<SocketAddr>,
        exchange: Exchange,
        line: Option<Line<'_>>,
        shared: Option<&Shared>,
        ended: Ended,
    ) {
        let Ended { status, sent, micros } = ended;
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
            record.number = (self.remote.boot, exchange.number);
            if forwarded.is_none() && trusted {
                forwarded = self.trusted.client(address, head.values(bytes, b"x-forwarded-for"));
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
