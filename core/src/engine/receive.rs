//! Bodies on their way in: kept in memory, written to a temporary file, or handed on as they come.

use pyo3::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;

use super::Engine;
use super::conn::{Conn, Exchange, State};
use super::dispatch::{Arrived, Target};
use super::options::milliseconds;
use super::shared::Shared;
use super::slab::Token;
use super::store::Store;
use crate::http::Refusal;
use crate::http::body::Decoder;
use crate::http::head::{Framing, Head, Line};
use crate::net::poll::{Flags, READ};

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const TOO_LARGE: Refusal = Refusal { status: 413, reason: "the body is too large" };
const NO_SPACE: Refusal = Refusal { status: 507, reason: "the body cannot be kept" };

pub struct Receiving {
    decoder: Decoder,
    total: u64,
    limit: u64,
    sink: Sink,
}

impl Receiving {
    /// What has come of a request to a native handler.
    pub fn into_native(self) -> Option<(Box<Head>, Box<[u8]>, Exchange)> {
        let total = self.total;
        match self.sink {
            Sink::Whole { head, bytes, exchange, target: Target::Native(..), .. } => {
                Some((head, bytes, Exchange { received: exchange.received + total, ..exchange }))
            }
            _ => None,
        }
    }

    fn is_native(&self) -> bool {
        matches!(&self.sink, Sink::Whole { target: Target::Native(..), .. })
    }

    /// What is known of the request, for the log: a streamed one tells by its `Shared`.
    pub fn request(&self) -> (Exchange, Option<Line<'_>>) {
        match &self.sink {
            Sink::Whole { head, bytes, exchange, .. } => (self.counted(*exchange), Some((head, bytes))),
            Sink::Stream(shared, exchange) => (self.counted(*exchange), Some((&shared.head, &shared.bytes))),
        }
    }

    fn counted(&self, exchange: Exchange) -> Exchange {
        Exchange { received: exchange.received + self.total, ..exchange }
    }
}

enum Sink {
    /// The request begins when all of its body is there.
    Whole { head: Box<Head>, bytes: Box<[u8]>, exchange: Exchange, target: Target, store: Store },
    /// The request has begun and reads as it likes.
    Stream(Arc<Shared>, Exchange),
}

/// Chunks of a streamed body that wait to be read.
#[derive(Default)]
pub struct Chunks {
    pub waiting: VecDeque<Vec<u8>>,
    pub bytes: usize,
    pub ended: bool,
    /// The client sends nothing before it is asked to (RFC 9110 10.1.1).
    pub expects: bool,
    /// Who waits for the next.
    pub reader: Option<Py<PyAny>>,
}

impl Engine {
    /// A request with a body: begins to take it. `head` is taken out of the caller's hands.
    pub fn receive(
        &self,
        py: Python<'_>,
        token: Token,
        exchange: Exchange,
        head: &mut Head,
        bytes: &[u8],
        target: Target,
    ) {
        let decoder = Decoder::new(&head.framing);
        let limit = target.max_body(self);
        if matches!(head.framing, Framing::Length(length) if length > limit) {
            return self.refuse_head(py, token, exchange, (head, bytes), &TOO_LARGE);
        }
        let expects = head.expect_continue;
        let stream = matches!(target, Target::Fallback) && self.streams_bodies();
        let sink = if stream {
            let Some(shared) = self.share(token, exchange, head, bytes) else { return };
            Sink::Stream(shared, exchange)
        } else {
            let expected = match head.framing {
                Framing::Length(length) => usize::try_from(length).unwrap_or(usize::MAX).min(self.options.spool),
                _ => 0,
            };
            let store = Store::new(expected, &self.bodies);
            Sink::Whole { head: Box::new(std::mem::take(head)), bytes: bytes.into(), exchange, target, store }
        };
        let shared = if let Sink::Stream(shared, _) = &sink { Some(Arc::clone(shared)) } else { None };
        let _ = self.with(token, |conn| {
            if expects && !stream {
                conn.output.bytes(&mut self.spare.borrow_mut(), CONTINUE);
                self.mark(conn, token);
            }
            conn.read_deadline = self.clock.now() + milliseconds(self.options.body_timeout);
            conn.current.exchange = exchange;
            conn.state = State::Body(Box::new(Receiving { decoder, total: 0, limit, sink }));
        });
        if stream {
            self.count(token);
        }
        if let Some(shared) = shared {
            let _ = self.with(token, |conn| {
                conn.current.shared = Some(Arc::clone(&shared));
                conn.current.chunks = Some(Box::new(Chunks { expects, ..Chunks::default() }));
            });
            self.call_fallback(py, token, shared);
        }
    }

    /// Some of a body; None: more must come first.
    pub fn take_body(&self, py: Python<'_>, token: Token, data: &[u8]) -> Option<usize> {
        let state = self.with(token, |conn| std::mem::replace(&mut conn.state, State::Busy))?;
        let State::Body(mut receiving) = state else {
            let _ = self.with(token, |conn| conn.state = state);
            return None;
        };
        let mut whole = Vec::new();
        let mut failed = None;
        let before = receiving.total;
        let Receiving { decoder, total, limit, sink } = &mut *receiving;
        let decoded = decoder.decode(data, &mut |part| {
            *total += part.len() as u64;
            match sink {
                _ if *total > *limit => failed = Some(TOO_LARGE),
                Sink::Whole { store, .. } => {
                    if store.write(part, self.options.spool).is_err() {
                        failed = Some(NO_SPACE);
                    }
                }
                Sink::Stream(..) => whole.extend_from_slice(part),
            }
        });
        let moved = *total > before;
        let decoded = match (decoded, failed) {
            (Err(refusal), _) | (_, Some(refusal)) => {
                let _ = self.with(token, |conn| conn.state = State::Body(receiving));
                self.refuse_body(py, token, &refusal);
                return None;
            }
            (Ok(decoded), None) => decoded,
        };
        let streamed = matches!(receiving.sink, Sink::Stream(..));
        let _ = self
            .with(token, |conn| {
                if moved {
                    conn.read_deadline = self.clock.now() + milliseconds(self.options.body_timeout);
                }
                if streamed {
                    conn.current.exchange.received += receiving.total - before;
                }
                if !decoded.done {
                    conn.state = State::Body(receiving);
                } else if let Sink::Whole { head, bytes, exchange, target, store } = receiving.sink {
                    conn.read_deadline = super::conn::NEVER;
                    let exchange = Exchange { received: exchange.received + receiving.total, ..exchange };
                    return Some((head, bytes, exchange, target, store));
                } else {
                    conn.read_deadline = super::conn::NEVER;
                }
                None
            })
            .flatten()
            .map(|(mut head, bytes, exchange, target, store)| match store.into_body() {
                Ok(body) => {
                    let arrived = Arrived { token, exchange, target, body: Some(body) };
                    self.begin(py, arrived, &mut head, &bytes);
                }
                Err(_) => self.refuse_head(py, token, exchange, (&head, &bytes), &NO_SPACE),
            });
        if streamed {
            self.hand_on(py, token, whole, decoded.done);
        }
        if decoded.consumed == 0 && !decoded.done { None } else { Some(decoded.consumed) }
    }

    /// The request to a native handler whose body a connection is taking, which it does no longer.
    pub fn native_request(&self, token: Token) -> Option<(Box<Head>, Box<[u8]>, Exchange)> {
        self.with(token, |conn| match std::mem::replace(&mut conn.state, State::Busy) {
            State::Body(receiving) if receiving.is_native() => receiving.into_native(),
            state => {
                conn.state = state;
                None
            }
        })?
    }

    fn refuse_body(&self, py: Python<'_>, token: Token, refusal: &Refusal) {
        let started =
            self.with(token, |conn| conn.current.answer != super::conn::Answer::None || conn.current.status != 0);
        if started == Some(true) {
            self.close(py, token); // an answer has begun: a second would be read as a part of it
        } else {
            self.refuse(py, token, refusal);
        }
    }

    /// A part of a streamed body for its reader; reading pauses while enough waits.
    fn hand_on(&self, py: Python<'_>, token: Token, data: Vec<u8>, ended: bool) {
        let woken = self.with(token, |conn| {
            let chunks = conn.current.chunks.as_mut()?;
            chunks.ended |= ended;
            if data.is_empty() && !ended {
                return None;
            }
            if !data.is_empty() {
                chunks.bytes += data.len();
                chunks.waiting.push_back(data);
            }
            let reader = chunks.reader.take();
            // After the end reading goes on: it tells that the client leaves.
            if chunks.bytes >= self.options.high_water && reader.is_none() && !ended {
                let interest = conn.interest & !READ;
                conn.read_deadline = super::conn::NEVER; // it is we who do not read
                self.want(conn, token, interest);
            }
            Some((reader?, self.next_chunk(conn, token).flatten()))
        });
        if let Some(Some((reader, next))) = woken {
            crate::py::waiter::resolve_bytes(py, &reader, next);
        }
    }

    /// The next part of a streamed body: None when it must be waited for, Some(None) at the end.
    pub fn next_chunk(&self, conn: &mut Conn, token: Token) -> Option<Option<Vec<u8>>> {
        let paused = !conn.interest.contains(Flags::IN);
        let receiving = conn.receiving();
        let chunks = conn.current.chunks.as_mut()?;
        let Some(chunk) = chunks.waiting.pop_front() else {
            let ended = chunks.ended;
            if std::mem::take(&mut chunks.expects) && !ended && conn.current.status == 0 {
                conn.output.bytes(&mut self.spare.borrow_mut(), CONTINUE);
                self.mark(conn, token);
            }
            return ended.then_some(None);
        };
        chunks.bytes -= chunk.len();
        if paused && receiving && chunks.bytes < self.options.high_water / 2 {
            conn.read_deadline = self.clock.now() + milliseconds(self.options.body_timeout);
            self.want(conn, token, conn.interest | READ);
        }
        Some(Some(chunk))
    }
}
