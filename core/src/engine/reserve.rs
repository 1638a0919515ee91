//! Connections beyond the bound: a few are heard, so that who asks for the health path is answered while all others
//! are told that there is no room.

use pyo3::prelude::*;
use std::net::SocketAddr;

use super::Engine;
use super::conn::Exchange;
use super::finish::Ended;
use super::slab::Token;
use crate::http::{Refusal, response};
use crate::metrics::Counter;
use crate::net::listener::Accepted;

/// How many are heard at once.
const RESERVE: usize = 32;

/// Milliseconds that they have for their head.
pub const HEAD: u64 = 1_000;

const FULL: Refusal = Refusal::new(503, "too many connections");

/// Is there room for one more?
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Free,
    /// For one that is heard, answered and closed.
    Reserve,
    None,
}

impl Engine {
    pub fn room(&self) -> Room {
        let count = self.slab.borrow().count();
        let most = self.options.max_connections;
        match count {
            _ if count < most => Room::Free,
            _ if count < most + RESERVE => Room::Reserve,
            _ => Room::None,
        }
    }

    /// One line, whatever was asked.
    pub fn turn_away(&self, accepted: &Accepted) {
        // A close with something unread is a reset, which may take the line from the client (RFC 9112 9.6).
        let mut scratch = self.take_scratch();
        let _ = rustix::net::recv(&accepted.fd, &mut *scratch, rustix::net::RecvFlags::DONTWAIT);
        self.scratch.replace(scratch);
        let mut out = Vec::new();
        response::refusal(&mut out, &FULL, &self.clock.date());
        let _ = rustix::net::send(&accepted.fd, &out, rustix::net::SendFlags::NOSIGNAL);
        self.turned_away(accepted.peer, out.len());
    }

    /// The same for one of the reserve that has asked nothing in its time.
    pub fn end_silent(&self, py: Python<'_>, token: Token) {
        let peer = self.with(token, |conn| conn.peer).flatten();
        self.refuse_noted(py, token, &FULL);
        self.turned_away(peer, 0);
    }

    fn turned_away(&self, peer: Option<SocketAddr>, sent: usize) {
        self.metrics.borrow().add(Counter::RefusedConnections, 1);
        let ended = Ended { status: FULL.status, sent: sent as u64, micros: 0 };
        self.note(peer, Exchange::default(), None, None, ended);
    }
}
