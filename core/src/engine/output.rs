//! What waits to be sent on one connection.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::net::{SendFlags, send};
use std::collections::VecDeque;
use std::sync::Arc;

/// Bodies above this are sent from where they lie; a copy of less costs less than a call of its own.
const COPY: usize = 16 << 10;

/// Bytes of one connection before others get their turn: a client as fast as a file can be read would hold them all up.
const TURN: usize = 1 << 20;

/// What is sent after the first buffer, and how much of it has been.
enum Segment {
    Bytes(Vec<u8>, usize),
    Python(Py<PyBytes>, usize),
    Shared(Arc<[u8]>, usize),
    File { fd: OwnedFd, offset: u64, left: u64 },
}

impl Segment {
    /// Bytes taken, and whether none is left.
    fn send(&mut self, py: Python<'_>, socket: BorrowedFd<'_>, flags: SendFlags) -> Result<(usize, bool)> {
        let (bytes, sent) = match self {
            Self::Bytes(bytes, sent) => (bytes.as_slice(), sent),
            Self::Python(bytes, sent) => (bytes.as_bytes(py), sent),
            Self::Shared(bytes, sent) => (&**bytes, sent),
            Self::File { fd, offset, left } => {
                let wanted = usize::try_from(*left).unwrap_or(usize::MAX).min(1 << 20);
                let taken = rustix::fs::sendfile(socket, fd.as_fd(), Some(offset), wanted)?;
                if taken == 0 {
                    return Err(Errno::PIPE); // the file has shrunk: its promised length cannot be kept
                }
                *left -= taken as u64;
                return Ok((taken, *left == 0));
            }
        };
        let taken = send(socket, bytes.get(*sent..).unwrap_or_default(), flags)?;
        *sent += taken;
        Ok((taken, *sent >= bytes.len()))
    }
}

#[derive(Default)]
pub struct Output {
    /// What is sent first.
    head: Vec<u8>,
    /// What is sent in its place: a message to many connections lies in memory once.
    shared: Option<Arc<[u8]>>,
    /// How much has been sent of the one or the other.
    sent: usize,
    /// What follows it.
    more: VecDeque<Segment>,
    pending: usize,
    /// Files among it: each is an open descriptor.
    files: usize,
}

pub enum Flushed {
    All,
    Blocked,
    /// It is the turn of others.
    Paused,
}

impl Output {
    pub fn is_empty(&self) -> bool {
        self.pending == 0 && self.more.is_empty()
    }

    /// Bytes that wait, a file's not counted: they take no memory.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Must the next request wait until more of this is sent?
    pub fn full(&self, high_water: usize) -> bool {
        self.pending > high_water || self.files > 0
    }

    /// Lets `write` append to the last buffer; `spare` gives one to a connection that has none.
    pub fn append<R>(&mut self, spare: &mut Vec<Vec<u8>>, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let buffer = if self.more.is_empty() {
            if self.head.capacity() == 0 {
                self.head = spare.pop().unwrap_or_else(|| Vec::with_capacity(1024));
            }
            if let Some(shared) = self.shared.take() {
                self.head.extend_from_slice(&shared);
            }
            unsent(&mut self.head, &mut self.sent)
        } else {
            if !matches!(self.more.back(), Some(Segment::Bytes(..))) {
                self.more.push_back(Segment::Bytes(Vec::new(), 0));
            }
            match self.more.back_mut() {
                Some(Segment::Bytes(buffer, sent)) => unsent(buffer, sent),
                _ => &mut self.head,
            }
        };
        let before = buffer.len();
        let result = write(buffer);
        self.pending = self.pending + buffer.len() - before;
        result
    }

    pub fn bytes(&mut self, spare: &mut Vec<Vec<u8>>, data: &[u8]) {
        self.append(spare, |out| out.extend_from_slice(data));
    }

    pub fn python(&mut self, spare: &mut Vec<Vec<u8>>, py: Python<'_>, data: &Py<PyBytes>) {
        let bytes = data.as_bytes(py);
        if bytes.len() <= COPY {
            self.bytes(spare, bytes);
        } else {
            self.pending += bytes.len();
            self.more.push_back(Segment::Python(data.clone_ref(py), 0));
        }
    }

    pub fn shared(&mut self, spare: &mut Vec<Vec<u8>>, data: &Arc<[u8]>) {
        if data.len() <= COPY {
            self.bytes(spare, data);
        } else {
            self.pending += data.len();
            self.more.push_back(Segment::Shared(Arc::clone(data), 0));
        }
    }

    /// As `shared`, and without a copy where it is all there is to send.
    pub fn broadcast(&mut self, spare: &mut Vec<Vec<u8>>, data: &Arc<[u8]>) {
        if self.is_empty() {
            self.pending = data.len();
            self.shared = Some(Arc::clone(data));
        } else {
            self.shared(spare, data);
        }
    }

    pub fn file(&mut self, fd: OwnedFd, offset: u64, left: u64) {
        if left > 0 {
            self.files += 1;
            self.more.push_back(Segment::File { fd, offset, left });
        }
    }

    /// Sends until all is sent, the socket takes no more or enough has been sent; with the bytes taken.
    pub fn flush(
        &mut self,
        py: Python<'_>,
        socket: BorrowedFd<'_>,
        spare: &mut Vec<Vec<u8>>,
    ) -> (usize, Result<Flushed>) {
        let mut sent = 0;
        loop {
            match self.send_first(py, socket) {
                Ok((taken, more)) => {
                    sent += taken;
                    if !more {
                        break;
                    }
                    if sent >= TURN {
                        return (sent, Ok(Flushed::Paused));
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return (sent, Ok(Flushed::Blocked)),
                Err(error) => return (sent, Err(error)),
            }
        }
        let mut head = std::mem::take(&mut self.head);
        self.shared = None;
        self.sent = 0;
        if spare.len() < 64 && (1..=COPY).contains(&head.capacity()) {
            head.clear();
            spare.push(head);
        }
        (sent, Ok(Flushed::All))
    }

    /// Sends some of what comes first: bytes taken, and whether anything is left.
    fn send_first(&mut self, py: Python<'_>, socket: BorrowedFd<'_>) -> Result<(usize, bool)> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let first = self.shared.as_deref().unwrap_or(&self.head);
        if let Some(rest) = first.get(self.sent..).filter(|rest| !rest.is_empty()) {
            let flags = if self.more.is_empty() { flags } else { flags | SendFlags::MORE };
            let taken = send(socket, rest, flags)?;
            self.sent += taken;
            self.pending -= taken;
            return Ok((taken, taken < rest.len() || !self.more.is_empty()));
        }
        let flags = if self.more.len() > 1 { flags | SendFlags::MORE } else { flags };
        let Some(segment) = self.more.front_mut() else { return Ok((0, false)) };
        let (taken, finished) = segment.send(py, socket, flags)?;
        let file = matches!(segment, Segment::File { .. });
        if !file {
            self.pending -= taken;
        }
        if finished {
            self.files -= usize::from(file);
            self.more.pop_front();
        }
        Ok((taken, !self.more.is_empty()))
    }
}

/// The buffer, without what has been sent of it once that is the larger part: a stream whose client never catches up
/// would keep all of itself.
fn unsent<'a>(buffer: &'a mut Vec<u8>, sent: &mut usize) -> &'a mut Vec<u8> {
    if *sent > COPY && *sent > buffer.len() / 2 {
        buffer.drain(..*sent);
        *sent = 0;
    }
    buffer
}
