//! The access log: one line a request, formatted and written by a thread of its own (sink.rs), without Python's lock.
//!
//! Query strings are left out, of the referrer too: they carry tokens and signatures. Everything a peer can send is escaped.

mod escape;
pub mod frame;
mod sink;
mod stamp;

pub use sink::Sink;

use escape::{combined, json};
use stamp::Stamp;

/// What a line tells of one request; byte slices are the peer's, as they came. Without a method: a head that could not be read.
#[derive(Clone, Copy, Default)]
pub struct Record<'a> {
    pub unix_ms: u64,
    pub client: &'a [u8],
    pub method: &'a [u8],
    pub target: &'a [u8],
    pub minor: u8,
    pub status: u16,
    /// Bytes sent, head and body.
    pub bytes: u64,
    /// Bytes received, head and body.
    pub received: u64,
    /// From the head to the end of the answer.
    pub micros: u64,
    /// From the head to the first byte of the answer.
    pub first: u64,
    /// Waiting for a thread of the pool; 0: it needed none.
    pub queued: u64,
    /// The id that a trusted proxy gave; without one it is `number`, of the process and of the request.
    pub id: &'a [u8],
    pub number: (u64, u64),
    pub referer: &'a [u8],
    pub agent: &'a [u8],
    /// The matched route's pattern, empty when none matched.
    pub route: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One JSON object a line, with the names that the stack's nginx uses.
    Json,
    /// <https://httpd.apache.org/docs/current/logs.html#combined>, without query strings.
    Combined,
}

impl Format {
    /// `off` is `Ok(None)`.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        match text {
            "off" => Ok(None),
            "combined" => Ok(Some(Self::Combined)),
            "json" => Ok(Some(Self::Json)),
            other => Err(format!("access log: {other:?} is none of off, combined, json")),
        }
    }
}

/// Formats lines; keeps the text of the current second.
pub struct Lines {
    format: Format,
    stamp: Stamp,
}

impl Lines {
    pub fn new(format: Format) -> Self {
        Self { format, stamp: Stamp::new(format) }
    }

    /// Appends one line, its newline included.
    pub fn write(&mut self, out: &mut Vec<u8>, record: &Record) {
        match self.format {
            Format::Json => self.json(out, record),
            Format::Combined => self.combined(out, record),
        }
    }

    fn json(&mut self, out: &mut Vec<u8>, record: &Record) {
        out.extend_from_slice(b"{\"time\":\"");
        self.stamp.write(out, record.unix_ms);
        out.extend_from_slice(b"\",\"request_id\":\"");
        if record.id.is_empty() && record.number.1 > 0 {
            out.extend_from_slice(format!("{:016x}{:016x}", record.number.0, record.number.1).as_bytes());
        }
        json(out, record.id);
        out.extend_from_slice(b"\",\"client\":\"");
        json(out, record.client);
        out.extend_from_slice(b"\",\"method\":\"");
        json(out, record.method);
        out.extend_from_slice(b"\",\"path\":\"");
        json(out, without_query(record.target));
        out.extend_from_slice(b"\",\"protocol\":\"");
        out.extend_from_slice(protocol(record));
        out.extend_from_slice(b"\",\"status\":");
        number(out, record.status.into());
        out.extend_from_slice(b",\"bytes_out\":");
        number(out, record.bytes);
        out.extend_from_slice(b",\"bytes_in\":");
        number(out, record.received);
        out.extend_from_slice(b",\"seconds\":");
        seconds(out, record.micros);
        out.extend_from_slice(b",\"first_byte_seconds\":");
        seconds(out, record.first);
        if record.queued > 0 {
            out.extend_from_slice(b",\"queue_seconds\":");
            seconds(out, record.queued);
        }
        if !record.route.is_empty() {
            out.extend_from_slice(b",\"route\":\"");
            json(out, record.route);
            out.push(b'"');
        }
        out.extend_from_slice(b",\"referer\":\"");
        json(out, without_query(record.referer));
        out.extend_from_slice(b"\",\"user_agent\":\"");
        json(out, record.agent);
        out.extend_from_slice(b"\"}\n");
    }

    fn combined(&mut self, out: &mut Vec<u8>, record: &Record) {
        or_dash(out, record.client);
        out.extend_from_slice(b" - - [");
        self.stamp.write(out, record.unix_ms);
        out.extend_from_slice(b"] \"");
        or_dash(out, record.method);
        if !record.method.is_empty() {
            out.push(b' ');
            combined(out, without_query(record.target));
            out.push(b' ');
            out.extend_from_slice(protocol(record));
        }
        out.extend_from_slice(b"\" ");
        number(out, record.status.into());
        out.push(b' ');
        number(out, record.bytes);
        out.extend_from_slice(b" \"");
        or_dash(out, without_query(record.referer));
        out.extend_from_slice(b"\" \"");
        or_dash(out, record.agent);
        out.extend_from_slice(b"\"\n");
    }
}

fn protocol(record: &Record) -> &'static [u8] {
    match record.minor {
        _ if record.method.is_empty() => b"",
        0 => b"HTTP/1.0",
        _ => b"HTTP/1.1",
    }
}

fn without_query(target: &[u8]) -> &[u8] {
    memchr::memchr2(b'?', b'#', target).and_then(|at| target.get(..at)).unwrap_or(target)
}

fn or_dash(out: &mut Vec<u8>, text: &[u8]) {
    if text.is_empty() { out.push(b'-') } else { combined(out, text) }
}

fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn seconds(out: &mut Vec<u8>, micros: u64) {
    number(out, micros / 1_000_000);
    let mut rest = micros % 1_000_000;
    let mut text = *b".000000";
    for place in text.iter_mut().skip(1).rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests;
