//! Deadlines: every connection is looked at twice a second, which costs less than a timer for each.

use pyo3::prelude::*;

use super::Engine;
use super::answer::Plain;
use super::conn::{NEVER, State};
use super::shared::Progress;
use super::slab::Token;
use crate::http::Refusal;
use crate::metrics::Counter;

const EVERY: u64 = 500;

/// How long a connection without a request yet is kept while draining, in milliseconds.
const FIRST: u64 = 1_000;

const SLOW: Refusal = Refusal { status: 408, reason: "the request took too long to arrive" };

const TOO_SLOW: &[u8] = b"The answer took too long.\n";

enum Late {
    /// A handler, with its answer.
    Answer,
    Idle,
    Slow,
    Taking,
    Socket,
    /// One that is heard though there is no room, and says nothing.
    Silent,
}

impl Engine {
    pub fn sweep(&self, py: Python<'_>, now: u64) {
        self.next_sweep.set(now + EVERY);
        self.end_rest();
        if self.untidy.get() {
            self.tidy(py);
        }
        let mut late: Vec<(Token, Late)> = Vec::new();
        for (token, conn) in self.slab.borrow_mut().iter_mut() {
            let answer_by = conn.current.answer_by;
            if answer_by != 0 && answer_by <= now {
                late.push((token, Late::Answer));
            } else if answer_by != 0 {
                self.sweep_by(answer_by);
            }
            if conn.write_deadline <= now {
                late.push((token, Late::Taking));
            } else if conn.read_deadline != NEVER && conn.read_deadline <= now {
                if matches!(conn.state, State::Head) && !conn.output.is_empty() {
                    self.await_head(conn); // its peer is not idle: it takes its last answer
                    continue;
                }
                let what = match conn.state {
                    State::Head if conn.reserve && conn.requests == 0 => Late::Silent,
                    State::Head if conn.input.is_empty() => Late::Idle,
                    State::Head | State::Body(_) => Late::Slow,
                    State::WebSocket(_) => Late::Socket,
                    State::Busy | State::Linger => Late::Idle,
                };
                late.push((token, what));
            }
        }
        for (token, what) in late {
            match what {
                Late::Answer => self.answer_late(py, token),
                Late::Idle => self.close(py, token),
                Late::Slow => {
                    self.metrics.borrow().add(Counter::TimeoutsRead, 1);
                    self.refuse_slow(py, token);
                }
                Late::Taking => {
                    self.metrics.borrow().add(Counter::TimeoutsWrite, 1);
                    self.close(py, token);
                }
                Late::Socket => self.socket_late(py, token, now),
                Late::Silent => self.end_silent(py, token),
            }
        }
        if let Some(log) = self.log.borrow().as_ref() {
            self.metrics.borrow().copy(Counter::LogDropped, log.sink.dropped());
        }
    }

    fn sweep_by(&self, time: u64) {
        self.next_sweep.set(self.next_sweep.get().min(time));
    }

    /// Gives the request of a connection so many milliseconds until its answer must have begun.
    pub fn answer_within(&self, token: Token, milliseconds: u64) {
        let time = self.clock.now() + milliseconds;
        let _ = self.with(token, |conn| conn.current.answer_by = time);
        self.sweep_by(time);
    }

    /// Answers in a handler's place, which hears what it would hear if its client had gone.
    ///
    /// 504, as clients know it from proxies in front of slow servers; 503 would say that nothing has been done, and that
    /// the same request may be sent again at once.
    fn answer_late(&self, py: Python<'_>, token: Token) {
        let shared = self.with(token, |conn| {
            conn.current.answer_by = 0;
            conn.current.shared.clone()
        });
        let Some(shared) = shared.flatten() else { return };
        if !shared.advance(Progress::Waiting, Progress::Ended) {
            return;
        }
        let callbacks = self.with(token, |conn| std::mem::take(&mut conn.current.on_disconnect)).unwrap_or_default();
        self.respond_plain(py, &shared, &Plain::new(504, TOO_SLOW));
        shared.set_gone();
        for callback in callbacks {
            self.call_soon(py, &callback);
        }
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
                if !matches!(conn.state, State::Head) || !conn.input.is_empty() {
                    return false;
                }
                if conn.requests == 0 {
                    conn.read_deadline = conn.read_deadline.min(first);
                    return false;
                }
                conn.closing = true; // one that still takes its last answer ends with it
                conn.output.is_empty()
            });
            if unused == Some(true) {
                self.close(py, token);
            }
        }
        for token in sockets {
            self.restart_socket(token);
        }
    }

    fn restart_socket(&self, token: Token) {
        self.close_socket(token, 1012, "service restart");
    }

    /// A WebSocket that has opened while draining hears what the others have heard.
    pub fn socket_opened(&self, token: Token) {
        if self.draining.get() {
            self.restart_socket(token);
        }
    }
}
