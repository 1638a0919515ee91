//! Sending what waits, and ending connections.

use pyo3::prelude::*;
use rustix::fd::AsFd;
use std::cell::RefMut;
use std::sync::atomic::Ordering;

use super::Engine;
use super::conn::{Conn, NEVER, State};
use super::options::milliseconds;
use super::output::Flushed;
use super::slab::Token;
use crate::metrics::Counter;
use crate::net::poll::{Flags, READ};

/// Milliseconds for a peer to read our last answer before we close (RFC 9112 9.6).
const LINGER: u64 = 2_000;

/// What follows when a connection has been sent what it could take.
enum Next {
    Nothing,
    /// Somebody may wait to hear how much is left.
    Tell,
    Close,
}

impl Engine {
    /// Runs `use_it` with the connection, if it is still there.
    pub fn with<R>(&self, token: Token, use_it: impl FnOnce(&mut Conn) -> R) -> Option<R> {
        self.slab.borrow_mut().get(token).map(use_it)
    }

    /// Buffers for output.
    pub fn spare(&self) -> RefMut<'_, Vec<Vec<u8>>> {
        self.spare.borrow_mut()
    }

    /// Has it flushed at the end of the turn.
    pub fn mark(&self, conn: &mut Conn, token: Token) {
        if !conn.dirty {
            conn.dirty = true;
            self.dirty.borrow_mut().push(token);
        }
    }

    pub fn has_dirty(&self) -> bool {
        !self.dirty.borrow().is_empty()
    }

    pub fn flush_dirty(&self, py: Python<'_>) {
        let mut batch = self.dirty.take();
        for token in batch.drain(..) {
            self.guarded(py, Some(token), || self.flush(py, token));
        }
        // What was written meanwhile has its turn after the others.
        let mut dirty = self.dirty.borrow_mut();
        if dirty.is_empty() {
            *dirty = batch;
        }
        drop(dirty);
        self.push_log();
    }

    fn flush(&self, py: Python<'_>, token: Token) {
        let next = self.with(token, |conn| {
            conn.dirty = false;
            if conn.cut {
                return Next::Close;
            }
            let (sent, result) = conn.output.flush(py, conn.fd.as_fd(), &mut self.spare.borrow_mut());
            self.metrics.borrow().add(Counter::BytesOut, sent as u64);
            match result {
                Err(_) => return Next::Close,
                Ok(Flushed::Blocked) => {
                    if sent > 0 || conn.write_deadline == NEVER {
                        conn.write_deadline = self.clock.now() + milliseconds(self.options.write_timeout);
                    }
                    self.want(conn, token, conn.interest | Flags::OUT);
                }
                Ok(Flushed::Paused) => {
                    conn.write_deadline = self.clock.now() + milliseconds(self.options.write_timeout);
                    self.mark(conn, token);
                }
                Ok(Flushed::All) => {
                    conn.write_deadline = NEVER;
                    self.want(conn, token, conn.interest & !Flags::OUT);
                    self.resume(conn, token);
                    if conn.closing && !conn.busy() && self.said_all(conn, token) {
                        return Next::Close;
                    }
                }
            }
            if conn.drained.is_empty() && conn.current.shared.is_none() { Next::Nothing } else { Next::Tell }
        });
        match next {
            Some(Next::Close) => self.close(py, token),
            Some(Next::Tell) => self.drained(py, token),
            Some(Next::Nothing) | None => {}
        }
    }

    /// Lingers on what is still to be read, or says that the connection can end now.
    fn said_all(&self, conn: &mut Conn, token: Token) -> bool {
        if conn.eof || matches!(conn.state, State::Linger) {
            return conn.eof;
        }
        if rustix::net::shutdown(&conn.fd, rustix::net::Shutdown::Write).is_err() {
            return true;
        }
        if let State::WebSocket(_) = std::mem::replace(&mut conn.state, State::Linger) {
            self.websockets.set(self.websockets.get().saturating_sub(1)); // its handler has been told
        }
        conn.input = Vec::new();
        conn.read_deadline = self.clock.now() + LINGER;
        self.want(conn, token, READ);
        false
    }

    /// Tells epoll when what we want to hear of has changed.
    pub fn want(&self, conn: &mut Conn, token: Token, interest: Flags) {
        if conn.interest != interest && self.poll.modify(&conn.fd, token.to_u64(), interest).is_ok() {
            conn.interest = interest;
        }
    }

    /// Wakes those who wait until little enough is left to send.
    fn drained(&self, py: Python<'_>, token: Token) {
        let wakers = self.with(token, |conn| {
            let pending = conn.output.pending();
            if let Some(shared) = &conn.current.shared
                && shared.pending.load(Ordering::Relaxed) != pending
            {
                shared.set_pending(pending, self.options.high_water);
            }
            let full = pending > self.options.high_water;
            if full { Vec::new() } else { std::mem::take(&mut conn.drained) }
        });
        for waker in wakers.unwrap_or_default() {
            crate::py::waiter::resolve(py, &waker);
        }
    }

    /// Ends the connection at once; whoever works for it hears that the client has gone.
    pub fn close(&self, py: Python<'_>, token: Token) {
        let Some(conn) = self.slab.borrow_mut().remove(token) else { return };
        let _ = self.poll.remove(&conn.fd);
        let mut conn = *conn;
        if conn.current.counted {
            self.uncount(&mut conn.current);
            self.log_cut(&conn);
        }
        let state = std::mem::replace(&mut conn.state, State::Linger);
        drop(conn.fd);
        if let State::WebSocket(socket) = state {
            self.socket_gone(py, &socket, std::mem::take(&mut conn.drained));
        }
        self.gone(py, conn.current, conn.drained);
    }
}
