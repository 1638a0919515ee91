//! Deadlines: every connection is looked at twice a second, which costs less than a timer for each.

use pyo3::prelude::*;

use super::Engine;
use super::conn::{NEVER, State};
use super::slab::Token;
use crate::http::Refusal;
use crate::metrics::{Counter, Gauge};

const EVERY: u64 = 500;

/// How long a connection without a request yet is kept while draining, in milliseconds.
const FIRST: u64 = 1_000;

const SLOW: Refusal = Refusal { status: 408, reason: "the request took too long to arrive" };

enum Late {
    Idle,
    Slow,
    Taking,
    Socket,
}

impl Engine {
    pub fn sweep(&self, py: Python<'_>, now: u64) {
        self.next_sweep.set(now + EVERY);
        if self.untidy.get() {
            self.tidy(py);
        }
        let mut late: Vec<(Token, Late)> = Vec::new();
        let connections = {
            let mut slab = self.slab.borrow_mut();
            for (token, conn) in slab.iter_mut() {
                if conn.write_deadline <= now {
                    late.push((token, Late::Taking));
                } else if conn.read_deadline != NEVER && conn.read_deadline <= now {
                    let what = match conn.state {
                        State::Head if conn.input.is_empty() => Late::Idle,
                        State::Head | State::Body(_) => Late::Slow,
                        State::WebSocket(_) => Late::Socket,
                        State::Busy | State::Linger => Late::Idle,
                    };
                    late.push((token, what));
                }
            }
            slab.count()
        };
        for (token, what) in late {
            match what {
                Late::Idle => self.close(py, token),
                Late::Slow => {
                    self.metrics.borrow().add(Counter::Timeouts, 1);
                    self.refuse_slow(py, token);
                }
                Late::Taking => {
                    self.metrics.borrow().add(Counter::Timeouts, 1);
                    self.close(py, token);
                }
                Late::Socket => self.socket_late(py, token, now),
            }
        }
        let metrics = self.metrics.borrow();
        metrics.set(Gauge::Connections, connections as u64);
        metrics.set(Gauge::InFlight, self.in_flight.get() as u64);
        metrics.set(Gauge::Websockets, self.websockets.get() as u64);
    }

    fn refuse_slow(&self, py: Python<'_>, token: Token) {
        let begun = self.with(token, |conn| conn.current.status != 0);
        if begun == Some(true) { self.close(py, token) } else { self.refuse(py, token, &SLOW) }
    }

    /// Ends what is idle; the rest ends with its answer. WebSockets are told to come back elsewhere (1012).
    ///
    /// No request is lost: what the kernel has of it is read first, and who has just connected has a moment to ask.
    pub fn drain(&self, py: Python<'_>) {
        if self.draining.replace(true) {
            return;
        }
        self.stop_listening(py);
        let mut idle = Vec::new();
        let mut sockets = Vec::new();
        for (token, conn) in self.slab.borrow_mut().iter_mut() {
            match conn.state {
                State::Head if conn.input.is_empty() => idle.push(token),
                State::WebSocket(_) => sockets.push(token),
                _ => {}
            }
        }
        let first = self.clock.now() + FIRST;
        for token in idle {
            self.readable(py, token);
            let unused = self.with(token, |conn| {
                if !matches!(conn.state, State::Head) || !conn.input.is_empty() || !conn.output.is_empty() {
                    return false;
                }
                if conn.requests == 0 {
                    conn.read_deadline = conn.read_deadline.min(first);
                }
                conn.requests > 0
            });
            if unused == Some(true) {
                self.close(py, token);
            }
        }
        for token in sockets {
            self.close_socket(token, 1012, "service restart");
        }
    }
}
