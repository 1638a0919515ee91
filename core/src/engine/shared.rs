//! A request as its handler's threads see it: nothing in it belongs to the I/O thread.

use std::borrow::Cow;
use std::fs::File;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::remote::Remote;
use super::slab::Token;
use super::store::Kept;
use crate::http::Span;
use crate::http::head::{Head, Line};

pub enum Body {
    Memory(Kept),
    File(File),
}

pub struct Shared {
    pub token: Token,
    pub remote: Arc<Remote>,
    /// The head's bytes and where in them its parts are.
    pub bytes: Box<[u8]>,
    pub head: Head,
    pub peer: Option<SocketAddr>,
    pub server: (String, Option<u16>),
    pub https: bool,
    /// The client as trusted proxies tell it, when they do.
    pub forwarded: Option<std::net::IpAddr>,
    pub trusted: bool,
    pub number: u64,
    pub high_water: usize,
    pub body: OnceLock<Body>,
    /// The pattern of the URL, when it is Django that has found it.
    pub route: OnceLock<Box<str>>,
    /// The client has gone.
    pub gone: AtomicBool,
    progress: AtomicU8,
    since: Instant,
    /// Microseconds that it has waited for its thread; 0: for none.
    pub queued: AtomicU64,
    /// Bytes that wait to be sent.
    pub pending: AtomicUsize,
    lock: Mutex<()>,
    drained: Condvar,
}

/// How far the answer is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub enum Progress {
    Waiting = 0,
    Started = 1,
    Ended = 2,
}

pub struct Facts {
    pub peer: Option<SocketAddr>,
    pub server: (String, Option<u16>),
    pub https: bool,
    pub forwarded: Option<std::net::IpAddr>,
    pub trusted: bool,
    pub number: u64,
    pub high_water: usize,
}

/// An id that somebody else has given.
pub fn id_is_good(id: &[u8]) -> bool {
    (1..=128).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

impl Shared {
    pub fn new(token: Token, remote: Arc<Remote>, bytes: &[u8], head: Head, facts: Facts) -> Self {
        Self {
            token,
            remote,
            bytes: bytes.into(),
            head,
            peer: facts.peer,
            server: facts.server,
            https: facts.https,
            forwarded: facts.forwarded,
            trusted: facts.trusted,
            number: facts.number,
            high_water: facts.high_water,
            body: OnceLock::new(),
            route: OnceLock::new(),
            gone: AtomicBool::new(false),
            progress: AtomicU8::new(Progress::Waiting as u8),
            since: Instant::now(),
            queued: AtomicU64::new(0),
            pending: AtomicUsize::new(0),
            lock: Mutex::new(()),
            drained: Condvar::new(),
        }
    }

    pub fn line(&self) -> Line<'_> {
        (&self.head, &self.bytes)
    }

    pub fn of(&self, span: Span) -> &[u8] {
        span.of(&self.bytes)
    }

    pub fn field(&self, lower_name: &[u8]) -> Option<&[u8]> {
        self.head.field(&self.bytes, lower_name)
    }

    /// The values of all fields of a name.
    pub fn values<'a>(&'a self, lower_name: &[u8]) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.head.values(&self.bytes, lower_name)
    }

    /// The values of a name as one (RFC 9110 5.3; RFC 6265 4.2.1 for cookies).
    pub fn joined(&self, lower_name: &[u8]) -> Option<Cow<'_, [u8]>> {
        let mut values = self.values(lower_name);
        let mut all = Cow::Borrowed(values.next()?);
        let separator: &[u8] = if lower_name == b"cookie" { b"; " } else { b"," };
        for value in values {
            let all = all.to_mut();
            all.extend_from_slice(separator);
            all.extend_from_slice(value);
        }
        Some(all)
    }

    /// The id that a trusted proxy gave the request, else one of our own.
    pub fn id(&self) -> String {
        let given = if self.trusted { self.field(b"x-request-id") } else { None };
        match given.map(std::str::from_utf8) {
            Some(Ok(id)) if id_is_good(id.as_bytes()) => id.to_owned(),
            _ => format!("{:016x}{:016x}", self.remote.boot, self.number),
        }
    }

    /// It has found its thread.
    pub fn begin(&self) {
        self.queued.store((self.since.elapsed().as_micros() as u64).max(1), Ordering::Relaxed);
    }

    pub fn progress(&self) -> Progress {
        match self.progress.load(Ordering::Acquire) {
            0 => Progress::Waiting,
            1 => Progress::Started,
            _ => Progress::Ended,
        }
    }

    /// Goes from one step of the answer to the next; false when another was faster.
    pub fn advance(&self, from: Progress, to: Progress) -> bool {
        self.progress.compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    pub fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
        self.wake();
    }

    pub fn set_pending(&self, bytes: usize, high_water: usize) {
        self.pending.store(bytes, Ordering::Release);
        if bytes <= high_water {
            self.wake();
        }
    }

    fn wake(&self) {
        let _guard = self.lock.lock();
        self.drained.notify_all();
    }

    /// Blocks until at most `high_water` bytes wait or the client has gone; false after `timeout`.
    pub fn wait_drained(&self, high_water: usize, timeout: Duration) -> bool {
        let Ok(guard) = self.lock.lock() else { return false };
        let full = |(): &mut ()| self.pending.load(Ordering::Acquire) > high_water && !self.is_gone();
        self.drained.wait_timeout_while(guard, timeout, full).is_ok_and(|(_, result)| !result.timed_out())
    }
}
