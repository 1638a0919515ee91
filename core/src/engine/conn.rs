//! One connection: what it is doing, what came, what waits to be sent.

use pyo3::prelude::*;
use rustix::fd::OwnedFd;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use super::cors::Cors;
use super::output::Output;
use super::receive::{Chunks, Receiving};
use super::shared::Shared;
use super::socket::Socket;
use crate::compress::Stream;
use crate::net::poll::{Flags, READ};

/// No deadline.
pub const NEVER: u64 = u64::MAX;

pub enum State {
    /// Between requests, or within a head.
    Head,
    /// A body comes in.
    Body(Box<Receiving>),
    /// A request is with its handler; what the peer sends meanwhile waits.
    Busy,
    WebSocket(Box<Socket>),
    /// All is said: what still comes is thrown away until the peer closes, so that it can read our last answer
    /// (RFC 9112 9.6).
    Linger,
}

pub struct Conn {
    pub fd: OwnedFd,
    pub peer: Option<SocketAddr>,
    /// Where it came in: the listener itself is closed before its connections are.
    pub server: Rc<(String, Option<u16>)>,
    pub state: State,
    /// What came and was not yet taken; empty while the connection is idle.
    pub input: Vec<u8>,
    /// How far `input` has been searched for the end of a head.
    pub seen: usize,
    pub output: Output,
    /// When to give up waiting for the peer to send, in the engine's milliseconds.
    pub read_deadline: u64,
    /// When to give up waiting for the peer to take.
    pub write_deadline: u64,
    pub interest: Flags,
    /// It is on the list of connections to flush.
    pub dirty: bool,
    /// It is on the list of connections whose `input` can be gone on with.
    pub ready: bool,
    /// It ends as soon as all is sent.
    pub closing: bool,
    /// It ends at the end of the turn, whatever waits to be sent.
    pub cut: bool,
    /// The peer has shut its side.
    pub eof: bool,
    /// Those who wait until output is below the high-water mark.
    pub drained: Vec<Py<PyAny>>,
    /// Requests it has carried.
    pub requests: u32,
    /// It is one more than there may be: of what it asks only the health path is answered, and then it ends.
    pub reserve: bool,
    pub current: Current,
}

/// What the engine must know of the request in flight.
#[derive(Default)]
pub struct Current {
    pub exchange: Exchange,
    /// There once the request has left the I/O thread's stack.
    pub shared: Option<Arc<Shared>>,
    pub answer: Answer,
    /// Compresses what is written.
    pub encoder: Option<Box<Stream>>,
    /// It counts as in flight.
    pub counted: bool,
    /// Bytes of the answer so far, for the log.
    pub sent: u64,
    pub status: u16,
    pub on_disconnect: Vec<Py<PyAny>>,
    /// When its answer must have begun, in the engine's milliseconds; 0: whenever it likes.
    pub answer_by: u64,
    /// A body that its handler reads as it comes.
    pub chunks: Option<Box<Chunks>>,
}

/// The few facts of a request that its answer needs.
#[derive(Clone, Copy, Default)]
pub struct Exchange {
    /// Of this process's requests: what its id is made of where nobody has given one.
    pub number: u64,
    /// In the engine's microseconds.
    pub started: u64,
    /// When the first byte of a streamed answer was there; 0: it came as a whole.
    pub first: u64,
    /// Bytes received, as far as they are known.
    pub received: u64,
    pub route: u16,
    pub minor: u8,
    pub keep_alive: bool,
    pub head_only: bool,
    /// A native route has its path: errors are problem details.
    pub native: bool,
    pub cors: Cors,
    /// Which codings its answer may have: 0 are the server's (`Engine::codings`).
    pub codings: u8,
}

/// How far the answer is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Answer {
    #[default]
    None,
    /// As many bytes are still to come.
    Length(u64),
    Chunked,
    UntilClose,
    /// HEAD, 204, 304: what is written is thrown away.
    NoBody,
}

impl Conn {
    pub fn new(fd: OwnedFd, peer: Option<SocketAddr>, server: Rc<(String, Option<u16>)>, deadline: u64) -> Self {
        Self {
            fd,
            peer,
            server,
            state: State::Head,
            input: Vec::new(),
            seen: 0,
            output: Output::default(),
            read_deadline: deadline,
            write_deadline: NEVER,
            interest: READ,
            dirty: false,
            ready: false,
            closing: false,
            cut: false,
            eof: false,
            drained: Vec::new(),
            requests: 0,
            reserve: false,
            current: Current::default(),
        }
    }

    /// Is the body of the request in flight still on its way?
    pub fn receiving(&self) -> bool {
        matches!(self.state, State::Body(_))
    }

    pub fn busy(&self) -> bool {
        matches!(self.state, State::Busy | State::Body(_))
    }
}
