//! From readable sockets to requests.

use pyo3::prelude::*;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::answer::Plain;
use super::conn::{Conn, Exchange, State};
use super::options::milliseconds;
use super::slab::Token;
use super::{Engine, SCRATCH};
use crate::http::Refusal;
use crate::http::head::Line;
use crate::metrics::Counter;
use crate::net::poll::{Flags, READ};

/// Requests and messages of one connection before others get their turn.
const TURN: usize = 64;

/// Bytes of pipelined requests that are kept while one is answered.
const AHEAD: usize = 64 << 10;

impl Engine {
    pub fn readable(&self, py: Python<'_>, token: Token) {
        let mut scratch = self.take_scratch();
        let received = self.with(token, |conn| {
            let (received, _) = recv(&conn.fd, &mut *scratch, RecvFlags::DONTWAIT)?;
            Ok((received, conn.input.is_empty() && !matches!(conn.state, State::Busy)))
        });
        if let Some(Ok((count, _))) = received {
            self.metrics.borrow().add(Counter::BytesIn, count as u64);
        }
        match received {
            None | Some(Err(Errno::AGAIN | Errno::INTR)) => {}
            Some(Err(_)) => self.close(py, token),
            Some(Ok((0, _))) => self.end_of_input(py, token),
            Some(Ok((count, true))) => {
                let data = scratch.get_mut(..count).unwrap_or_default();
                let taken = self.feed(py, token, data);
                let rest = data.get(taken..).unwrap_or_default();
                if !rest.is_empty() {
                    self.keep_rest(token, rest.to_vec(), taken > 0);
                }
            }
            Some(Ok((count, false))) => {
                let data = scratch.get(..count).unwrap_or_default();
                let _ = self.with(token, |conn| {
                    conn.input.extend_from_slice(data);
                    self.hold(conn, token);
                    if !matches!(conn.state, State::Busy) {
                        self.go_on_with(conn, token);
                    }
                });
            }
        }
        self.scratch.replace(scratch);
    }

    /// The buffer that is received into; another while a handler that was called with the first one drains the server.
    pub fn take_scratch(&self) -> Box<[u8]> {
        let scratch = self.scratch.take();
        if scratch.is_empty() { vec![0; SCRATCH].into_boxed_slice() } else { scratch }
    }

    /// Keeps what was not taken. `moved`: some was, so that it may be possible to go on.
    pub fn keep_rest(&self, token: Token, mut rest: Vec<u8>, moved: bool) {
        let _ = self.with(token, |conn| {
            if conn.closing || matches!(conn.state, State::Linger) {
                return;
            }
            rest.append(&mut conn.input);
            conn.input = rest;
            self.hold(conn, token);
            if moved && !matches!(conn.state, State::Busy) {
                self.go_on_with(conn, token);
            }
        });
    }

    /// Does the connection have to wait, for its answer or for its peer to take what it was given?
    fn stalled(&self, conn: &Conn) -> bool {
        matches!(conn.state, State::Busy)
            || (matches!(conn.state, State::Head) && conn.output.full(self.options.high_water))
    }

    /// Stops reading ahead of a connection that waits.
    fn hold(&self, conn: &mut Conn, token: Token) {
        if let State::WebSocket(socket) = &mut conn.state {
            socket.has_unread(conn.input.len());
        }
        // A WebSocket's peer that sends more frames than it gets turns for has to wait as well.
        if conn.input.len() >= AHEAD && (self.stalled(conn) || matches!(conn.state, State::WebSocket(_))) {
            let interest = conn.interest & !Flags::IN;
            self.want(conn, token, interest);
        }
    }

    /// Puts what has been read on the list for the next turn.
    pub fn go_on_with(&self, conn: &mut Conn, token: Token) {
        if !conn.input.is_empty() && !conn.ready {
            conn.ready = true;
            self.ready.borrow_mut().push_back(token);
        }
    }

    /// Reads on from a WebSocket whose frames have had their turns.
    pub fn read_on(&self, token: Token) {
        let _ = self.with(token, |conn| {
            let open = matches!(&conn.state, State::WebSocket(socket) if !socket.paused()) && !conn.closing;
            if open && conn.input.len() < AHEAD && !conn.interest.contains(Flags::IN) {
                let interest = conn.interest | READ;
                self.want(conn, token, interest);
            }
        });
    }

    /// A connection between requests may go on, if it has waited.
    pub fn resume(&self, conn: &mut Conn, token: Token) {
        if matches!(conn.state, State::Head) && !conn.closing && !self.stalled(conn) {
            let interest = conn.interest | READ;
            self.want(conn, token, interest);
            self.go_on_with(conn, token);
        }
    }

    /// Takes what it can of what came; returns how much that is.
    pub fn feed(&self, py: Python<'_>, token: Token, data: &mut [u8]) -> usize {
        let mut at = 0;
        for _ in 0..TURN {
            let rest = data.get_mut(at..).unwrap_or_default();
            let doing = self.with(token, |conn| match &conn.state {
                _ if conn.closing => Doing::Nothing,
                State::Head if self.stalled(conn) => Doing::Nothing,
                State::Head => Doing::Head,
                State::Body(_) => Doing::Body,
                State::WebSocket(socket) if socket.paused() => Doing::Nothing,
                State::WebSocket(_) => Doing::Socket,
                // What comes while it lingers is dropped (`keep_rest`).
                State::Busy | State::Linger => Doing::Nothing,
            });
            let taken = match doing {
                Some(Doing::Head) if !rest.is_empty() => self.take_head(py, token, rest),
                Some(Doing::Body) => self.take_body(py, token, rest),
                Some(Doing::Socket) => self.take_frames(py, token, rest),
                _ => return at,
            };
            match taken {
                Some(taken) => at += taken,
                None => return at,
            }
        }
        at
    }

    /// The next request's head and, as far as it does not wait for anything, the request; None: more must come.
    fn take_head(&self, py: Python<'_>, token: Token, data: &[u8]) -> Option<usize> {
        let mut head = self.head.take();
        let mut seen = self.with(token, |conn| conn.seen).unwrap_or_default();
        let parsed = head.parse(data, &mut seen, &self.limits);
        let taken = match parsed {
            Ok(true) => {
                let _ = self.with(token, |conn| conn.seen = 0);
                let len = head.len;
                self.request(py, token, &mut head, data.get(..len).unwrap_or_default());
                Some(len)
            }
            Ok(false) => {
                let _ = self.with(token, |conn| {
                    if conn.seen == 0 && conn.requests > 0 {
                        conn.read_deadline = self.clock.now() + milliseconds(self.options.header_timeout);
                    }
                    conn.seen = seen;
                });
                None
            }
            Err(refusal) => {
                self.refuse(py, token, &refusal);
                None
            }
        };
        self.head.replace(head);
        taken
    }

    /// The peer has shut its side (or all of it: that cannot be told apart before we write).
    fn end_of_input(&self, py: Python<'_>, token: Token) {
        let busy = self.with(token, |conn| {
            conn.eof = true;
            conn.closing = true;
            self.want(conn, token, conn.interest & !READ);
            // A handshake has nothing to say to a client that does not listen.
            let handshake = conn.current.shared.as_ref().is_some_and(|shared| shared.head.websocket);
            (matches!(conn.state, State::Busy) && !handshake)
                || (matches!(conn.state, State::Head) && !conn.output.is_empty())
        });
        if busy == Some(true) {
            self.client_left(py, token);
        } else {
            self.close(py, token);
        }
    }

    /// A request that is none: one answer, then the end.
    pub fn refuse(&self, py: Python<'_>, token: Token, refusal: &Refusal) {
        if let Some((head, bytes, exchange)) = self.native_request(token) {
            return self.refuse_head(py, token, exchange, (&head, &bytes), refusal);
        }
        let _ = self.with(token, |conn| {
            let shared = conn.current.shared.as_deref();
            let (exchange, line) = match &conn.state {
                State::Body(receiving) => receiving.request(),
                _ => shared.map_or_else(Default::default, |shared| {
                    (conn.current.exchange, Some((&shared.head, &*shared.bytes)))
                }),
            };
            self.refused(conn.peer, exchange, line, shared, refusal);
        });
        self.refuse_noted(py, token, refusal);
    }

    /// The same for a request of which there is a head; a native route's answers as the route does.
    pub fn refuse_head(&self, py: Python<'_>, token: Token, exchange: Exchange, line: Line<'_>, refusal: &Refusal) {
        if exchange.native {
            self.metrics.borrow().add(Counter::RefusedInvalid, 1);
            let last = Exchange { keep_alive: false, ..exchange };
            return self.plain(py, token, last, line, &Plain::new(refusal.status, refusal.reason.as_bytes()));
        }
        let peer = self.with(token, |conn| conn.peer).flatten();
        self.refused(peer, exchange, Some(line), None, refusal);
        self.refuse_noted(py, token, refusal);
    }

    /// Answers one that has been counted and logged.
    pub fn refuse_noted(&self, py: Python<'_>, token: Token, refusal: &Refusal) {
        let in_flight = self.with(token, |conn| {
            conn.output.append(&mut self.spare.borrow_mut(), |out| {
                crate::http::response::refusal(out, refusal, &self.clock.date());
            });
            conn.closing = true;
            conn.state = State::Head;
            conn.input = Vec::new();
            self.mark(conn, token);
            std::mem::take(&mut conn.current)
        });
        if let Some(mut current) = in_flight {
            self.uncount(&mut current);
            self.gone(py, current, Vec::new());
        }
    }
}

enum Doing {
    Nothing,
    Head,
    Body,
    Socket,
}
