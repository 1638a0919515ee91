//! WebSockets: from the handshake to the last close frame.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::Engine;
use super::conn::{Conn, Current, Exchange, State};
use super::held::Held;
use super::native::invoke_socket;
use super::options::milliseconds;
use super::routes::Found;
use super::slab::Token;
use crate::http::head::Head;
use crate::metrics::Counter;
use crate::net::poll::{Flags, READ};
use crate::py::websocket::{WebSocket, disconnected};
use crate::ws::{self, Codec, Event};

/// Messages that may wait for their reader before the peer has to wait.
const WAITING: usize = 64;

/// Milliseconds for a peer to answer our close frame (RFC 6455 7.1.1).
const CLOSING: u64 = 5_000;

const FULL: &str = "the server holds too much of messages";

/// What came and how it ended, for the handler: it outlives the connection.
pub struct Inbox {
    waiting: VecDeque<(Py<PyAny>, u32)>,
    held: Held,
    /// Who waits for the next message.
    receiver: Option<Py<PyAny>>,
    /// Called once when it is over, with code and reason.
    on_disconnect: Vec<Py<PyAny>>,
    /// How it ended, when that is known; 1006 is for "without a word" (RFC 6455 7.1.5).
    end: Option<Box<(u16, String)>>,
}

impl Inbox {
    fn new(all: &Rc<Cell<usize>>) -> Self {
        Self { waiting: VecDeque::new(), held: Held::new(all), receiver: None, on_disconnect: Vec::new(), end: None }
    }

    fn put(&mut self, message: Py<PyAny>, size: usize) {
        self.waiting.push_back((message, size as u32));
        self.held.set(self.held.bytes() + size);
    }

    fn clear(&mut self) {
        self.waiting = VecDeque::new();
        self.held.set(0);
    }

    pub fn ended(&self) -> Option<(u16, String)> {
        self.end.as_deref().cloned()
    }

    /// The next message, or how the socket ended.
    pub fn take(&mut self) -> Option<Result<Py<PyAny>, (u16, String)>> {
        if let Some((message, size)) = self.waiting.pop_front() {
            self.held.set(self.held.bytes() - size as usize);
            return Some(Ok(message));
        }
        self.ended().map(Err)
    }

    /// Who waits for the next message: one at a time.
    pub fn set_receiver(&mut self, py: Python<'_>, waiter: Py<PyAny>) -> bool {
        let free = self.receiver.as_ref().is_none_or(|waiting| !crate::py::waiter::waits(py, waiting));
        if free {
            self.receiver = Some(waiter);
        }
        free
    }

    /// False when it is over already.
    pub fn on_disconnect(&mut self, callback: Py<PyAny>) -> Option<Py<PyAny>> {
        if self.end.is_some() {
            return Some(callback);
        }
        self.on_disconnect.push(callback);
        None
    }

    fn full(&self, high_water: usize) -> bool {
        self.waiting.len() >= WAITING || self.held.bytes() >= high_water
    }

    fn low(&self, high_water: usize) -> bool {
        self.waiting.len() <= WAITING / 2 && self.held.bytes() <= high_water / 2
    }
}

pub struct Socket {
    pub codec: Codec,
    pub inbox: Rc<RefCell<Inbox>>,
    /// Of a message whose end has not come.
    partial: Held,
    /// Of frames that have been read and not yet looked at.
    unread: Held,
    sent_close: bool,
    /// The code of our close frame, when it came first; 1006 before.
    said: u16,
    pinged: bool,
    paused: bool,
    /// Messages that may still come now, times 1000, and when that was reckoned.
    allowance: u32,
    reckoned: u64,
}

impl Socket {
    pub fn new(codec: Codec, rate: u32, now: u64, all: &Rc<Cell<usize>>) -> Self {
        Self {
            codec,
            inbox: Rc::new(RefCell::new(Inbox::new(all))),
            partial: Held::new(all),
            unread: Held::new(all),
            sent_close: false,
            said: 1006,
            pinged: false,
            paused: false,
            allowance: rate.saturating_mul(1000),
            reckoned: now,
        }
    }

    pub fn paused(&self) -> bool {
        self.paused
    }

    pub fn open(&self) -> bool {
        !self.sent_close
    }

    pub fn has_unread(&mut self, bytes: usize) {
        self.unread.set(bytes);
    }

    fn held(&self) -> usize {
        self.partial.bytes() + self.unread.bytes() + self.inbox.borrow().held.bytes()
    }

    /// Lets go of all that came and was not yet taken.
    fn forget(&mut self) {
        self.codec.stop();
        self.partial.set(0);
        self.unread.set(0);
        self.inbox.borrow_mut().clear();
    }

    /// Is the peer within its rate?
    fn allow(&mut self, rate: u32, now: u64) -> bool {
        if rate == 0 {
            return true;
        }
        let more = (now.saturating_sub(self.reckoned)).saturating_mul(u64::from(rate));
        let most = u64::from(rate) * 1000;
        self.allowance = (u64::from(self.allowance).saturating_add(more)).min(most) as u32;
        self.reckoned = now;
        let allowed = self.allowance >= 1000;
        self.allowance = self.allowance.saturating_sub(1000);
        allowed
    }
}

impl Engine {
    /// Begins a WebSocket; false when nobody takes any here, so that it is a request like others.
    pub fn handshake(&self, py: Python<'_>, token: Token, exchange: Exchange, head: &mut Head, bytes: &[u8]) -> bool {
        let routes = Rc::clone(&self.routes.borrow());
        let found = routes.find(head.path.of(bytes)).and_then(Found::websocket);
        let other = self.on_websocket.borrow().as_ref().map(|handler| handler.clone_ref(py));
        if found.is_none() && other.is_none() {
            return false;
        }
        let handshake = match ws::check_handshake(head, bytes, &self.sockets) {
            Ok(handshake) => handshake,
            Err(refusal) => {
                self.refuse_head(py, token, exchange, (head, bytes), &refusal);
                return true;
            }
        };
        let route = found.as_ref().map_or(exchange.route, |(handler, _)| handler.slot);
        let exchange = Exchange { route, ..exchange };
        let Some(shared) = self.enlist(token, exchange, head, bytes, None) else { return true };
        let settle = found.as_ref().and_then(|(handler, _)| handler.settle.clone());
        let socket = match Bound::new(py, WebSocket::new(shared, handshake, settle)) {
            Ok(socket) => socket,
            Err(error) => {
                self.parts.exception(py, "a WebSocket could not be made", &error);
                self.close(py, token);
                return true;
            }
        };
        let begun = match (found, other) {
            (Some((handler, params)), _) => invoke_socket(py, self, &handler, &socket, &params),
            (None, Some(handler)) => crate::py::context::fresh(py, || handler.call1(py, (&socket,)).map(drop)),
            (None, None) => Ok(()),
        };
        if let Err(error) = begun {
            WebSocket::handler_ended(&socket, Err(error));
        }
        true
    }

    /// The connection becomes a WebSocket; the answer that says so lies in its output.
    pub fn open_socket(&self, conn: &mut Conn, token: Token, socket: Socket) {
        conn.read_deadline = self.clock.now() + milliseconds(self.options.ws_ping);
        self.uncount(&mut conn.current);
        conn.current = Current::default();
        conn.state = State::WebSocket(Box::new(socket));
        self.go_on_with(conn, token);
        self.websockets.set(self.websockets.get() + 1);
        self.mark(conn, token);
    }

    /// Some frames; None: more must come first.
    pub fn take_frames(&self, py: Python<'_>, token: Token, data: &mut [u8]) -> Option<usize> {
        let now = self.clock.now();
        let (taken, event) = self.with(token, |conn| {
            match &mut conn.state {
                State::WebSocket(socket) => {
                    // A peer that goes on talking does not put off the end that follows our close frame.
                    if !socket.sent_close {
                        conn.read_deadline = now + milliseconds(self.options.ws_ping);
                        socket.pinged = false;
                    }
                    let fed = socket.codec.feed(data);
                    socket.partial.set(socket.codec.held());
                    fed
                }
                _ => (0, Ok(None)),
            }
        })?;
        let more = taken == 0 && matches!(event, Ok(None));
        match event {
            Ok(None) => {}
            Ok(Some(Event::Text(text))) => self.deliver(py, token, PyString::new(py, &text).into_any(), text.len()),
            Ok(Some(Event::Binary(data))) => self.deliver(py, token, PyBytes::new(py, &data).into_any(), data.len()),
            Ok(Some(Event::Ping(payload))) => {
                let _ = self.with(token, |conn| {
                    // Not each ping needs its answer (RFC 6455 section 5.5.3): a peer that does not read gets none.
                    if conn.output.pending() <= self.options.high_water {
                        conn.output.append(&mut self.spare.borrow_mut(), |out| ws::pong(out, payload));
                        self.mark(conn, token);
                    }
                });
            }
            Ok(Some(Event::Pong(_))) => {}
            Ok(Some(Event::Close { code, reason })) => self.closed_by_peer(py, token, code, reason),
            Err(failure) => {
                self.end_socket(py, token, failure.code, failure.reason, (failure.code, failure.reason));
            }
        }
        self.bound_messages(py);
        if more { None } else { Some(taken) }
    }

    /// Closes who holds the most, as long as all together hold too much.
    fn bound_messages(&self, py: Python<'_>) {
        // One message of the largest size always has room, and another that waits.
        while self.messages.get() > self.options.ws_memory.max(self.options.ws_max_message * 2) {
            let most = self.slab.borrow_mut().iter_mut().fold((0, None), |most, (token, conn)| match &conn.state {
                State::WebSocket(socket) if socket.held() > most.0 => (socket.held(), Some(token)),
                _ => most,
            });
            // What is left waits for handlers whose connections have ended.
            let (_, Some(token)) = most else { return };
            let _ = self.with(token, |conn| {
                conn.input = Vec::new();
                if let State::WebSocket(socket) = &mut conn.state {
                    socket.forget();
                }
            });
            self.metrics.borrow().add(Counter::RefusedMessages, 1);
            self.end_socket(py, token, 1013, FULL, (1013, FULL));
        }
    }

    fn deliver(&self, py: Python<'_>, token: Token, message: Bound<'_, PyAny>, size: usize) {
        self.metrics.borrow().add(Counter::MessagesIn, 1);
        let mut waiting = Some(message);
        let receiver = self.with(token, |conn| {
            let State::WebSocket(socket) = &mut conn.state else { return Ok(None) };
            if !socket.allow(self.options.ws_rate, self.clock.now()) {
                return Err(());
            }
            let mut inbox = socket.inbox.borrow_mut();
            if let Some(receiver) = inbox.receiver.take()
                && crate::py::waiter::waits(py, &receiver)
            {
                return Ok(Some(receiver));
            }
            let full = inbox.full(self.options.high_water);
            if socket.sent_close && full {
                return Ok(None); // the peer's close frame is behind it (RFC 6455 1.4: data may be discarded)
            }
            if let Some(message) = waiting.take() {
                inbox.put(message.unbind(), size);
            }
            if !socket.sent_close && inbox.full(self.options.high_water) {
                drop(inbox);
                socket.paused = true;
                let interest = conn.interest & !Flags::IN;
                self.want(conn, token, interest);
            }
            Ok(None)
        });
        match (receiver, waiting) {
            (Some(Ok(Some(receiver))), Some(message)) => {
                crate::py::waiter::resolve_with(py, &receiver, Ok(message.unbind()));
            }
            (Some(Err(())), _) => self.close_socket(token, 1008, "too many messages"),
            _ => {}
        }
    }

    /// Reads on when enough of what waited has been taken.
    pub fn message_taken(&self, token: Token) {
        let _ = self.with(token, |conn| {
            let State::WebSocket(socket) = &mut conn.state else { return };
            if socket.paused && socket.inbox.borrow().low(self.options.high_water) {
                socket.paused = false;
                let interest = conn.interest | READ;
                self.want(conn, token, interest);
                self.go_on_with(conn, token);
            }
        });
    }

    fn closed_by_peer(&self, py: Python<'_>, token: Token, code: u16, reason: &str) {
        // Our side of the handshake is the same code (RFC 6455 5.5.1).
        self.end_socket(py, token, if code == 1005 { 1000 } else { code }, "", (code, reason));
    }

    /// Says goodbye, waits for nothing more, and tells the application that it is over.
    fn end_socket(&self, py: Python<'_>, token: Token, say: u16, why: &str, end: (u16, &str)) {
        let ended = self.with(token, |conn| {
            let State::WebSocket(socket) = &mut conn.state else { return None };
            let inbox = Rc::clone(&socket.inbox);
            if !std::mem::replace(&mut socket.sent_close, true) {
                conn.output.append(&mut self.spare.borrow_mut(), |out| ws::close(out, say, why));
            }
            conn.closing = true;
            self.mark(conn, token);
            Some((inbox, std::mem::take(&mut conn.drained)))
        });
        if let Some(Some((inbox, drained))) = ended {
            self.tell_end(py, &inbox, drained, end);
        }
    }

    /// Once: those who wait, and those who have asked to be told.
    fn tell_end(
        &self,
        py: Python<'_>,
        inbox: &Rc<RefCell<Inbox>>,
        drained: Vec<Py<PyAny>>,
        (code, reason): (u16, &str),
    ) {
        let (receiver, callbacks) = {
            let mut inbox = inbox.borrow_mut();
            if inbox.end.is_none() {
                inbox.end = Some(Box::new((code, reason.to_owned())));
            }
            (inbox.receiver.take(), std::mem::take(&mut inbox.on_disconnect))
        };
        for waiter in receiver.into_iter().chain(drained) {
            crate::py::waiter::resolve_with(py, &waiter, Err(disconnected(py, code, reason)));
        }
        for callback in callbacks {
            let event_loop = self.parts.event_loop(py);
            if let Err(error) = event_loop.call_method1(py, "call_soon", (callback, code, reason)) {
                error.write_unraisable(py, None);
            }
        }
    }

    /// Begins the closing handshake: what the peer still sends is read until its close frame comes.
    pub fn close_socket(&self, token: Token, code: u16, reason: &str) {
        let _ = self.with(token, |conn| {
            let State::WebSocket(socket) = &mut conn.state else { return };
            if std::mem::replace(&mut socket.sent_close, true) {
                return;
            }
            socket.said = code;
            socket.pinged = true;
            socket.paused = false;
            conn.output.append(&mut self.spare.borrow_mut(), |out| ws::close(out, code, reason));
            conn.read_deadline = self.clock.now() + CLOSING;
            let interest = conn.interest | READ;
            self.want(conn, token, interest);
            self.go_on_with(conn, token);
            self.mark(conn, token);
        });
    }

    /// Nothing came for a while: ask, or give up.
    pub fn socket_late(&self, py: Python<'_>, token: Token, now: u64) {
        let over = self.with(token, |conn| {
            let State::WebSocket(socket) = &mut conn.state else { return false };
            if socket.paused && !socket.sent_close {
                conn.read_deadline = now + milliseconds(self.options.ws_ping); // it is we who do not read
                return false;
            }
            if socket.pinged || socket.sent_close {
                return true;
            }
            socket.pinged = true;
            conn.read_deadline = now + milliseconds(self.options.ws_ping_timeout);
            conn.output.append(&mut self.spare.borrow_mut(), |out| ws::ping(out, b""));
            self.mark(conn, token);
            false
        });
        if over == Some(true) {
            self.close(py, token);
        }
    }

    /// The connection of a WebSocket has ended, or is about to.
    pub fn socket_gone(&self, py: Python<'_>, socket: &Socket, drained: Vec<Py<PyAny>>) {
        self.websockets.set(self.websockets.get().saturating_sub(1));
        self.tell_end(py, &socket.inbox, drained, (socket.said, ""));
    }
}
