//! Who answers a request: the engine itself, a native handler, a static file, or the fallback (Django, an ASGI app).

use pyo3::prelude::*;
use std::rc::Rc;
use std::sync::Arc;

use super::conn::{Current, Exchange, NEVER, State};
use super::native::Handler;
use super::routes::Params;
use super::shared::{Body, Facts, Shared};
use super::slab::Token;
use super::{Engine, answer::Plain};
use crate::http::head::{Framing, Head, Method};
use crate::metrics::{Counter, HEALTH, unrouted};
use crate::py::request::Request;

const HANDSHAKE: &[u8] = b"Only WebSockets are served here.\n";

pub enum Target {
    Native(Rc<Handler>, Params),
    Fallback,
}

/// A request that is all there.
pub struct Arrived {
    pub token: Token,
    pub exchange: Exchange,
    pub target: Target,
    pub body: Option<Body>,
}

impl Target {
    /// Bytes that the body may have.
    pub fn max_body(&self, engine: &Engine) -> u64 {
        match self {
            Self::Native(handler, _) => handler.max_body.unwrap_or(engine.options.max_body),
            Self::Fallback => engine.options.max_body,
        }
    }
}

impl Engine {
    /// A request whose head is there: `bytes` are the head's.
    pub fn request(&self, py: Python<'_>, token: Token, head: &mut Head, bytes: &[u8]) {
        self.numbers.set(self.numbers.get() + 1);
        let reserve = self.with(token, |conn| {
            conn.requests += 1;
            conn.read_deadline = NEVER;
            // Until an answer says otherwise, what follows waits.
            conn.state = State::Busy;
            conn.reserve
        });
        let reserve = reserve == Some(true);
        let exchange = Exchange {
            number: self.numbers.get(),
            started: self.clock.micros(),
            received: bytes.len() as u64,
            route: unrouted(head.method),
            minor: head.minor,
            keep_alive: head.keep_alive && !self.draining.get() && !reserve,
            head_only: head.method == Method::Head,
            ..Exchange::default()
        };
        // Answered before its body has come, a request is the connection's last: the body would be read as the next one.
        let bodyless = matches!(head.framing, Framing::None | Framing::Length(0));
        let early = Exchange { keep_alive: exchange.keep_alive && bodyless, ..exchange };
        let path = head.path.of(bytes);
        if path == self.options.health_path.as_bytes() && matches!(head.method, Method::Get | Method::Head) {
            let well = Plain { no_store: true, ..Plain::new(200, b"ok\n") };
            return self.plain(py, token, Exchange { route: HEALTH, ..early }, (head, bytes), &well);
        }
        if reserve || self.in_flight.get() >= self.options.max_in_flight {
            let full = if reserve { Counter::RefusedConnections } else { Counter::RefusedRequests };
            self.metrics.borrow().add(full, 1);
            let full = Plain { retry_after: true, ..Plain::new(503, b"The server is busy: try again.\n") };
            let native = self.routes.borrow().find(path).is_some();
            let early = if native { self.native_exchange(py, early, head, bytes) } else { early };
            return self.plain(py, token, early, (head, bytes), &full);
        }
        if head.websocket && self.handshake(py, token, exchange, head, bytes) {
            return;
        }
        let routes = Rc::clone(&self.routes.borrow());
        let found = routes.find(path);
        let mut exchange = if found.is_some() { self.native_exchange(py, exchange, head, bytes) } else { exchange };
        if self.preflight(py, token, exchange, head, bytes) {
            return;
        }
        let target = match found {
            Some(found) => match found.entry.handler(head.method, head.method_span.of(bytes)) {
                Some(handler) => {
                    let handler = Rc::clone(handler);
                    let params = found.params(&handler);
                    exchange = Exchange { route: handler.slot, codings: handler.codings, ..exchange };
                    Target::Native(handler, params)
                }
                None => {
                    let allow = found.entry.allow();
                    let plain = match head.method {
                        Method::Options => Plain { allow: Some(&allow), ..Plain::new(204, b"") },
                        // A handshake would be taken (RFC 9110 15.5.22).
                        Method::Get | Method::Head if found.entry.has_websocket() => Plain::new(426, HANDSHAKE),
                        _ => Plain { allow: Some(&allow), ..Plain::new(405, b"") },
                    };
                    let exchange = Exchange { keep_alive: early.keep_alive, ..exchange };
                    return self.plain(py, token, exchange, (head, bytes), &plain);
                }
            },
            None if self.static_file(py, token, early, head, bytes) => return,
            None if self.fallback.borrow().is_none() => {
                return self.plain(py, token, early, (head, bytes), &Plain::new(404, b"Not Found\n"));
            }
            None => Target::Fallback,
        };
        match head.framing {
            Framing::None | Framing::Length(0) => {
                self.begin(py, Arrived { token, exchange, target, body: None }, head, bytes);
            }
            Framing::Length(_) | Framing::Chunked => self.receive(py, token, exchange, head, bytes, target),
        }
    }

    /// A request that can be answered now: all of its body is there.
    pub fn begin(&self, py: Python<'_>, arrived: Arrived, head: &mut Head, bytes: &[u8]) {
        let Arrived { token, exchange, target, body } = arrived;
        match target {
            Target::Native(handler, params) => {
                let call = super::native::Call { token, exchange, params };
                self.call_native(py, call, &handler, head, bytes, body);
            }
            Target::Fallback => {
                let Some(shared) = self.enlist(token, exchange, head, bytes, body) else { return };
                if self.streams_bodies() {
                    let _ = self.with(token, |conn| {
                        conn.current.chunks =
                            Some(Box::new(super::receive::Chunks { ended: true, ..Default::default() }));
                    });
                }
                self.call_fallback(py, token, shared);
            }
        }
    }

    /// The request leaves this stack: from here on it is in flight until its answer has ended.
    pub fn enlist(
        &self,
        token: Token,
        exchange: Exchange,
        head: &mut Head,
        bytes: &[u8],
        body: Option<Body>,
    ) -> Option<Arc<Shared>> {
        let shared = self.share(token, exchange, head, bytes)?;
        if let Some(body) = body {
            let _ = shared.body.set(body);
        }
        self.with(token, |conn| {
            conn.state = State::Busy;
            conn.current = Current { exchange, shared: Some(Arc::clone(&shared)), ..Current::default() };
        })?;
        self.count(token);
        Some(shared)
    }

    /// A request as other threads may hold it.
    pub fn share(&self, token: Token, exchange: Exchange, head: &mut Head, bytes: &[u8]) -> Option<Arc<Shared>> {
        let (peer, server) = self.with(token, |conn| (conn.peer, Rc::clone(&conn.server)))?;
        let address = peer.map(|peer| peer.ip());
        let trusted = self.trusted.trusts(address);
        let mut https = false;
        let mut forwarded = None;
        if trusted {
            let client = self.trusted.client(address, head.values(bytes, b"x-forwarded-for"));
            forwarded = client.filter(|client| Some(*client) != address);
            https = self.trusted.scheme(address, head.values(bytes, b"x-forwarded-proto")) == Some("https");
        }
        let facts = Facts {
            peer,
            server: (*server).clone(),
            https,
            forwarded,
            trusted,
            number: exchange.number,
            high_water: self.options.high_water,
        };
        Some(Arc::new(Shared::new(token, Arc::clone(&self.remote), bytes, std::mem::take(head), facts)))
    }

    pub fn streams_bodies(&self) -> bool {
        self.fallback.borrow().as_ref().is_some_and(|fallback| fallback.stream_body)
    }

    pub fn call_fallback(&self, py: Python<'_>, token: Token, shared: Arc<Shared>) {
        let handler = self.fallback.borrow().as_ref().map(|fallback| fallback.handler.clone_ref(py));
        let Some(handler) = handler else { return };
        let called = Request::new(py, Arc::clone(&shared), true)
            .and_then(|request| crate::py::context::fresh(py, || handler.call1(py, (request,))));
        if let Err(error) = called {
            self.parts.exception(py, "a handler failed", &error);
            self.fail(py, token, &shared);
        }
    }

    /// The handler of an unanswered request has failed: 500, or a cut when an answer has begun.
    pub fn fail(&self, py: Python<'_>, token: Token, shared: &Arc<Shared>) {
        use super::shared::Progress;
        if shared.advance(Progress::Waiting, Progress::Ended) {
            self.respond_plain(py, shared, &Plain::new(500, b"Internal Server Error\n"));
        } else if shared.advance(Progress::Started, Progress::Ended) {
            self.cut(token, shared);
        }
    }
}
