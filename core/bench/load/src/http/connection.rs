//! One connection: what was sent, what has come back, and whether it is right.
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;

use super::request::Request;
use super::response::{self, Framing};

pub struct Connection {
    pub stream: TcpStream,
    pub sent: VecDeque<(usize, Instant)>,
    buf: Vec<u8>,
    /// The body that is coming in: bytes still missing, and whether the answer is right so far.
    body: Option<(usize, bool)>,
    close: bool,
    unsent: Vec<u8>,
}

/// One whole answer.
pub struct Answer {
    pub request: usize,
    pub since: Instant,
    pub right: bool,
}

pub enum State {
    Open,
    /// The server closes it, after a whole answer.
    Closed,
    /// It ended in the middle of an answer.
    Broken,
}

impl Connection {
    pub fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            sent: VecDeque::new(),
            buf: Vec::new(),
            body: None,
            close: false,
            unsent: Vec::new(),
        })
    }

    /// `bytes` are one or more requests; `sent` gets their indexes. False: the connection is gone.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return true;
        }
        match self.stream.write(bytes) {
            Ok(count) => self.unsent.extend_from_slice(&bytes[count..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.unsent.extend_from_slice(bytes),
            Err(_) => return false,
        }
        true
    }

    pub fn flush(&mut self) -> bool {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
        true
    }

    /// Reads all that is there and calls `done` for each whole answer.
    pub fn receive(&mut self, requests: &[Request], scratch: &mut [u8], mut done: impl FnMut(Answer)) -> State {
        loop {
            let count = match self.stream.read(scratch) {
                Ok(0) => return if self.sent.is_empty() { State::Closed } else { State::Broken },
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return State::Open,
                Err(_) => return State::Broken,
            };
            if self.buf.is_empty() {
                let Ok(used) = self.take(&scratch[..count], requests, &mut done) else { return State::Broken };
                self.buf.extend_from_slice(&scratch[used..count]);
            } else {
                let mut buf = std::mem::take(&mut self.buf);
                buf.extend_from_slice(&scratch[..count]);
                let Ok(used) = self.take(&buf, requests, &mut done) else { return State::Broken };
                buf.drain(..used);
                self.buf = buf;
            }
            if self.close && self.sent.is_empty() {
                return State::Closed;
            }
            // A short read has emptied the socket: the next byte brings a new event.
            if count < scratch.len() {
                return State::Open;
            }
        }
    }

    fn take(&mut self, buf: &[u8], requests: &[Request], done: &mut impl FnMut(Answer)) -> Result<usize, &'static str> {
        let mut used = 0;
        while used < buf.len() {
            let rest = &buf[used..];
            let (request, since) = *self.sent.front().ok_or("an answer to nothing")?;
            let expected = &requests[request];
            if let Some((missing, right)) = &mut self.body {
                let here = rest.len().min(*missing);
                let from = expected.body.len().wrapping_sub(*missing);
                *right &= expected.body.get(from..from.wrapping_add(here)) == Some(&rest[..here]);
                *missing -= here;
                used += here;
                if *missing == 0 {
                    let right = *right;
                    self.finish(right, request, since, done);
                }
                continue;
            }
            let Some(head) = response::head(rest)? else { break };
            let right = head.status == expected.status;
            match head.framing {
                Framing::Length(length) => {
                    used += head.len;
                    let right = right && length == expected.body.len();
                    self.body = Some((length, right));
                    if length == 0 {
                        self.finish(right, request, since, done);
                    }
                }
                Framing::Chunked => {
                    let Some((body, length)) = response::chunked(&rest[head.len..])? else { break };
                    used += head.len + length;
                    self.finish(right && body == expected.body, request, since, done);
                }
            }
            self.close |= head.close;
        }
        Ok(used)
    }

    fn finish(&mut self, right: bool, request: usize, since: Instant, done: &mut impl FnMut(Answer)) {
        self.body = None;
        self.sent.pop_front();
        done(Answer { request, since, right });
    }
}
