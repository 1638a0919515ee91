//! Responses as bytes: the head, checked field by field; chunks; short answers to requests that are refused.

use super::chars::{field_text, list, token};
use super::fields::number;
use super::{Refusal, status};
use std::fmt;

/// How the application's body will arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyLength {
    Known(u64),
    Chunked,
    UntilClose,
}

/// How the body is to be sent after the head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// Not at all: HEAD, 1xx, 204, 304.
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

/// What a rendered head has promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    pub body: Body,
    pub keep_alive: bool,
}

/// Why a response cannot be sent as the application gave it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadField {
    Status,
    Name,
    Value,
    /// Content-Length is no number, or not the body's.
    Length,
}

impl fmt::Display for BadField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Status => "the status must be a number from 100 to 599",
            Self::Name => "a header name must be a token of RFC 9110: letters, digits and !#$%&'*+-.^_`|~",
            Self::Value => "a header value must not hold control characters, line ends among them",
            Self::Length => "Content-Length must be a number, given once, and equal the length of the body",
        })
    }
}

/// Appends one response head to a buffer. Until `end` has returned `Ok`, dropping it takes back what it has appended.
pub struct Rendering<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    minor: u8,
    status: u16,
    to_head: bool,
    date: bool,
    close: bool,
    upgrade: bool,
    length: Option<u64>,
    failed: Option<BadField>,
    ended: bool,
}

impl<'a> Rendering<'a> {
    /// `minor` is the request's: an answer is always HTTP/1.1, and framed so that the client understands it.
    #[inline]
    pub fn begin(out: &'a mut Vec<u8>, minor: u8, status: u16) -> Self {
        let start = out.len();
        let mut failed = None;
        match status::line(status) {
            Some(line) => out.extend_from_slice(line),
            None if (100..600).contains(&status) => {
                out.extend_from_slice(b"HTTP/1.1 ");
                decimal(out, status.into());
                out.extend_from_slice(b" \r\n");
            }
            None => failed = Some(BadField::Status),
        }
        let (to_head, date, close, upgrade, length, ended) = (false, false, false, false, None, false);
        Self { out, start, minor, status, to_head, date, close, upgrade, length, failed, ended }
    }

    /// Says that the request's method is HEAD: the head is that of the same GET, no body follows.
    #[inline]
    pub fn to_head(mut self, to_head: bool) -> Self {
        self.to_head = to_head;
        self
    }

    /// Says that only a WebSocket is to be had here (RFC 9110 section 15.5.22), and of which version (RFC 6455 section 4.4).
    pub fn upgrade(&mut self) -> Result<(), BadField> {
        self.upgrade = true;
        self.field(b"Sec-WebSocket-Version", b"13")
    }

    /// Adds a field. Those that belong to this connection (RFC 9110 section 7.6.1) are the engine's and left out.
    #[inline]
    pub fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), BadField> {
        let result = self.checked(name, value);
        if let Err(error) = result {
            self.failed = Some(error);
        }
        result
    }

    fn checked(&mut self, name: &[u8], value: &[u8]) -> Result<(), BadField> {
        check(name, value)?;
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            2 if is(b"te") => return Ok(()),
            4 if is(b"date") => {
                if std::mem::replace(&mut self.date, true) {
                    return Ok(());
                }
            }
            7 if is(b"upgrade") || is(b"trailer") => return Ok(()),
            10 if is(b"connection") => {
                self.close |= list(value).any(|option| option.eq_ignore_ascii_case(b"close"));
                return Ok(());
            }
            10 if is(b"keep-alive") => return Ok(()),
            14 if is(b"content-length") => {
                let length = number(value).ok_or(BadField::Length)?;
                return if self.length.replace(length).is_none() { Ok(()) } else { Err(BadField::Length) };
            }
            16 if is(b"proxy-connection") => return Ok(()),
            17 if is(b"transfer-encoding") => return Ok(()),
            18 if is(b"proxy-authenticate") => return Ok(()),
            19 if is(b"proxy-authorization") => return Ok(()),
            _ => {}
        }
        append(self.out, name, value);
        Ok(())
    }

    /// Adds Date, the framing and Connection, and the empty line.
    ///
    /// A Content-Length of the application goes before `Chunked` and `UntilClose`, and must agree with `Known`. To
    /// HTTP/1.0, `Chunked` becomes `UntilClose`.
    #[inline]
    pub fn end(mut self, length: BodyLength, keep_alive: bool, date: &[u8; 29]) -> Result<Sent, BadField> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let interim = self.status < 200;
        let body = self.body(length)?;
        let keep_alive = keep_alive && !self.close && body != Body::UntilClose;
        if !interim && !self.date {
            self.out.extend_from_slice(b"Date: ");
            self.out.extend_from_slice(date);
            self.out.extend_from_slice(b"\r\n");
        }
        if let Some(length) = self.announced(length) {
            self.out.extend_from_slice(b"Content-Length: ");
            decimal(self.out, length);
            self.out.extend_from_slice(b"\r\n");
        } else if body == Body::Chunked {
            self.out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        if self.upgrade {
            self.out.extend_from_slice(b"Upgrade: websocket\r\n");
        }
        // Who sends Upgrade names it in Connection (RFC 9110 section 7.8).
        self.out.extend_from_slice(match (keep_alive, self.minor, self.upgrade) {
            _ if interim => b"",
            (false, _, false) => b"Connection: close\r\n",
            (false, _, true) => b"Connection: close, Upgrade\r\n",
            (true, 0, false) => b"Connection: keep-alive\r\n",
            (true, 0, true) => b"Connection: keep-alive, Upgrade\r\n",
            (true, _, false) => b"",
            (true, _, true) => b"Connection: Upgrade\r\n",
        });
        self.out.extend_from_slice(b"\r\n");
        self.ended = true;
        Ok(Sent { body, keep_alive })
    }

    fn bodiless(&self) -> bool {
        self.to_head || self.status < 200 || matches!(self.status, 204 | 304)
    }

    fn body(&self, length: BodyLength) -> Result<Body, BadField> {
        if self.bodiless() {
            return Ok(Body::None);
        }
        match (length, self.length) {
            (BodyLength::Known(known), Some(given)) if known != given => Err(BadField::Length),
            (BodyLength::Known(length), _) | (_, Some(length)) => Ok(Body::Length(length)),
            (BodyLength::Chunked, None) if self.minor > 0 => Ok(Body::Chunked),
            _ => Ok(Body::UntilClose),
        }
    }

    /// Content-Length's value: <https://www.rfc-editor.org/rfc/rfc9110#section-8.6>
    fn announced(&self, length: BodyLength) -> Option<u64> {
        match (self.status, length) {
            (100..200 | 204, _) => None,
            (304, _) => self.length,
            (_, BodyLength::Known(known)) => Some(self.length.unwrap_or(known)),
            _ => self.length,
        }
    }
}

impl Drop for Rendering<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.ended {
            self.out.truncate(self.start);
        }
    }
}

/// Whether a field may be sent as it is; for heads that no `Rendering` makes, such as a WebSocket's.
pub fn valid_field(name: &[u8], value: &[u8]) -> bool {
    check(name, value).is_ok()
}

fn check(name: &[u8], value: &[u8]) -> Result<(), BadField> {
    if !token(name) {
        return Err(BadField::Name);
    }
    if field_text(value) { Ok(()) } else { Err(BadField::Value) }
}

fn append(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn decimal(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends one chunk of a chunked body; none for no data, which would end the body.
pub fn chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let mut digits = [0; 16];
    let mut start = digits.len();
    let mut left = data.len();
    while left > 0 {
        start -= 1;
        if let Some(digit) = digits.get_mut(start) {
            *digit = b"0123456789abcdef"[left & 15];
        }
        left >>= 4;
    }
    out.reserve(data.len() + 20);
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Ends a chunked body.
pub fn last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}

/// Appends a whole answer that says why a request is refused. Its connection is to be closed.
pub fn refusal(out: &mut Vec<u8>, refusal: &Refusal, date: &[u8; 29]) {
    let mut head = Rendering::begin(out, 1, refusal.status);
    let text = format!("{}\n", refusal.reason);
    let mut fields = || {
        head.field(b"Content-Type", b"text/plain; charset=utf-8")?;
        match refusal.status {
            // Seconds; the client's next try may find room.
            503 => head.field(b"Retry-After", b"1"),
            426 => head.upgrade(),
            _ => Ok(()),
        }
    };
    if fields().is_ok() && head.end(BodyLength::Known(text.len() as u64), false, date).is_ok() {
        out.extend_from_slice(text.as_bytes());
    }
}
