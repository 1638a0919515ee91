//! One call of asyncio's `select()`: turns of the engine until asyncio has something to do.

use pyo3::prelude::*;
use rustix::fd::RawFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::Engine;
use super::conn::{Conn, State};
use super::options::milliseconds;
use super::reserve::{self, Room};
use super::slab::{OTHER, Token};
use crate::metrics::{Counter, Gauge, Time};
use crate::net::listener::Listener;
use crate::net::poll::{Events, Flags, READ};

const LISTENER: u64 = OTHER | 1 << 62;
const WAKE: u64 = OTHER | 1 << 61;

/// Answers wait for the end of the turn, but never longer than this: each send may wake the peer, which costs the more
/// the fewer cores there are (docs/decisions.md).
const FLUSH_WITHIN: u64 = 1_000;

/// Connections accepted before others get their turn.
const ACCEPT: usize = 64;

/// The token under which one of asyncio's own file descriptors is watched.
pub fn asyncio_token(fd: RawFd) -> u64 {
    OTHER | u64::from(fd.cast_unsigned())
}

impl Engine {
    pub fn listen(&self, listener: Listener) -> rustix::io::Result<()> {
        let mut listeners = self.listeners.borrow_mut();
        self.poll.add(&listener, LISTENER | listeners.len() as u64, Flags::IN)?;
        listeners.push(Rc::new(listener));
        self.accepting.set(true);
        Ok(())
    }

    pub fn watch_remote(&self) -> rustix::io::Result<()> {
        self.poll.add(&self.remote.wake, WAKE, Flags::IN)
    }

    /// Stops accepting; what waits in the listeners' queues stays there.
    pub(super) fn pause(&self) {
        if self.accepting.replace(false) {
            for listener in self.listeners.borrow().iter() {
                let _ = self.poll.remove(listener);
            }
        }
    }

    /// Leaves those who wait in the listeners' queues until the next sweep: their readiness would wake us without end.
    fn rest(&self) {
        self.resting.set(true);
        self.watch_listeners(Flags::empty());
    }

    /// Accepts again after a rest.
    pub fn end_rest(&self) {
        if self.resting.take() && self.accepting.get() {
            self.watch_listeners(Flags::IN);
        }
    }

    fn watch_listeners(&self, flags: Flags) {
        for (index, listener) in self.listeners.borrow().iter().enumerate() {
            let _ = self.poll.modify(listener, LISTENER | index as u64, flags);
        }
    }

    /// Lets nobody begin to connect any more; who has begun is accepted.
    pub fn refuse_new(&self) {
        for listener in self.listeners.borrow().iter() {
            // Where the system cannot, who comes last is reset, as by other servers.
            let _ = listener.refuse_new();
            if !listener.tcp {
                let _ = self.poll.remove(listener); // it would wake us without end
            }
        }
    }

    /// Takes the connections that the kernel has already made, which would be reset otherwise, and closes the listeners.
    pub fn stop_listening(&self, py: Python<'_>) {
        self.pause();
        for listener in self.listeners.take() {
            while self.accept(py, &listener) {}
        }
    }

    /// Serves until a file descriptor of asyncio is ready (they are left in `fired`), asyncio has other work, or
    /// `timeout` seconds are over.
    pub fn select(&self, py: Python<'_>, timeout: Option<f64>, fired: &mut Vec<(RawFd, Flags)>) -> PyResult<()> {
        let mut events = self.events.take();
        let result = self.turns(py, timeout, &mut events, fired);
        self.events.replace(events);
        result
    }

    fn turns(
        &self,
        py: Python<'_>,
        timeout: Option<f64>,
        events: &mut Events,
        fired: &mut Vec<(RawFd, Flags)>,
    ) -> PyResult<()> {
        let mut now = self.clock.tick();
        // Rounded up: asyncio's timers must not be found to be not yet due.
        let until = timeout.map(|seconds| now + (seconds.max(0.0) * 1000.0).ceil() as u64);
        self.parts.remember_timer(py);
        loop {
            self.flush_dirty(py);
            self.show();
            let wait = self.wait(now, until);
            let (polled, woken) = if wait == Some(0) {
                (self.poll.wait(events, wait), None)
            } else {
                let (poll, remote) = (&self.poll, &*self.remote);
                py.detach(|| {
                    let polled = remote.asleep(|may_sleep| poll.wait(events, if may_sleep { wait } else { Some(0) }));
                    (polled, Some(Instant::now()))
                })
            };
            let at = Instant::now();
            now = self.clock.tick_at(at);
            if let Some(woken) = woken {
                self.metrics.borrow().time(Time::Gil, at.duration_since(woken).as_micros() as u64);
            }
            if !polled.map_err(std::io::Error::from)? {
                return Ok(()); // a signal: Python's handlers run when we are back
            }
            self.serve(py, events, fired);
            self.run_commands(py);
            self.go_on(py);
            if now >= self.next_sweep.get() {
                self.guarded(py, None, || self.sweep(py, now));
            }
            if !fired.is_empty() || until.is_some_and(|until| now >= until) || self.parts.asyncio_has_work(py) {
                self.flush_dirty(py);
                return Ok(());
            }
        }
    }

    /// What is so until the next turn.
    fn show(&self) {
        let metrics = self.metrics.borrow();
        metrics.set(Gauge::Connections, self.slab.borrow().count() as u64);
        metrics.set(Gauge::InFlight, self.in_flight.get() as u64);
        metrics.set(Gauge::Websockets, self.websockets.get() as u64);
    }

    /// Milliseconds that nothing need be done.
    fn wait(&self, now: u64, until: Option<u64>) -> Option<u64> {
        if !self.ready.borrow().is_empty() || self.has_dirty() {
            return Some(0);
        }
        let sweep = (self.slab.borrow().count() > 0 || self.resting.get()).then(|| self.next_sweep.get());
        let next = match (until, sweep) {
            (Some(until), Some(sweep)) => Some(until.min(sweep)),
            (until, sweep) => until.or(sweep),
        };
        next.map(|next| next.saturating_sub(now))
    }

    fn serve(&self, py: Python<'_>, events: &Events, fired: &mut Vec<(RawFd, Flags)>) {
        let mut flushed = self.clock.micros();
        for event in events.iter() {
            if event.token & OTHER == 0 {
                let token = Token::from_u64(event.token);
                self.guarded(py, Some(token), || self.event(py, token, event.flags));
                if self.clock.micros() - flushed > FLUSH_WITHIN {
                    self.flush_dirty(py);
                    flushed = self.clock.micros();
                }
            } else if event.token & LISTENER == LISTENER {
                let listener = self.listeners.borrow().get((event.token & 0xffff) as usize).cloned();
                if let Some(listener) = listener {
                    self.guarded(py, None, || self.accept(py, &listener));
                }
            } else if event.token & WAKE == WAKE {
                self.remote.woken();
            } else {
                fired.push((event.token as RawFd, event.flags));
            }
        }
    }

    fn event(&self, py: Python<'_>, token: Token, flags: Flags) {
        if flags.contains(Flags::OUT) {
            let _ = self.with(token, |conn| self.mark(conn, token));
        }
        if flags.intersects(Flags::IN | Flags::RDHUP | Flags::HUP | Flags::ERR) {
            // After the end of its input, this says that the peer takes no answer either, and would say so in each turn.
            let over = flags.intersects(Flags::HUP | Flags::ERR) && self.with(token, |conn| conn.eof) == Some(true);
            if over { self.close(py, token) } else { self.readable(py, token) }
        }
    }

    /// False when no more connections wait.
    fn accept(&self, py: Python<'_>, listener: &Listener) -> bool {
        for _ in 0..ACCEPT {
            let accepted = match listener.accept() {
                Ok(Some(accepted)) => accepted,
                Ok(None) => return false,
                Err(error) => {
                    // Out of file descriptors, as a rule.
                    self.parts.warn(py, &format!("accept: {error}"));
                    self.rest();
                    return false;
                }
            };
            let room = self.room();
            if room == Room::None {
                self.turn_away(&accepted);
                continue;
            }
            self.metrics.borrow().add(Counter::Accepted, 1);
            let header_timeout = milliseconds(self.options.header_timeout);
            let reserve = room == Room::Reserve;
            let wait = if reserve { header_timeout.min(reserve::HEAD) } else { header_timeout };
            let deadline = self.clock.now() + wait;
            let mut conn = Box::new(Conn::new(accepted.fd, accepted.peer, Rc::clone(&listener.server), deadline));
            conn.reserve = reserve;
            let mut slab = self.slab.borrow_mut();
            let token = slab.insert(conn);
            let added = slab.get(token).map(|conn| self.poll.add(&conn.fd, token.to_u64(), READ));
            if !matches!(added, Some(Ok(()))) {
                slab.remove(token);
            }
        }
        true
    }

    /// Goes on with connections whose input has waited for the end of a request.
    fn go_on(&self, py: Python<'_>) {
        let count = self.ready.borrow().len();
        for _ in 0..count {
            let Some(token) = self.ready.borrow_mut().pop_front() else { return };
            let input = self.with(token, |conn| {
                conn.ready = false;
                if let State::WebSocket(socket) = &mut conn.state {
                    socket.has_unread(0);
                }
                std::mem::take(&mut conn.input)
            });
            if let Some(input) = input {
                self.guarded(py, Some(token), || self.go_on_from(py, token, input));
            }
        }
    }

    fn go_on_from(&self, py: Python<'_>, token: Token, mut input: Vec<u8>) {
        let taken = self.feed(py, token, &mut input);
        input.drain(..taken);
        if !input.is_empty() {
            self.keep_rest(token, input, taken > 0);
        }
        self.read_on(token);
    }

    fn run_commands(&self, py: Python<'_>) {
        let mut commands = self.commands.take();
        Arc::clone(&self.remote).take(&mut commands);
        for command in commands.drain(..) {
            let token = command.token();
            self.guarded(py, token, || self.obey(py, command));
        }
        self.commands.replace(commands);
    }
}
