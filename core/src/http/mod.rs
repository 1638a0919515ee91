//! HTTP/1.1 without sockets: bytes in, bytes out. RFC 9110 (semantics) and RFC 9112 (messages); whatever is
//! ambiguous there is refused here.

pub mod body;
mod chars;
pub mod date;
mod fields;
pub mod head;
pub mod replay;
pub mod response;
pub mod status;
pub mod target;
#[cfg(test)]
mod tests;

pub use body::{Decoded, Decoder};
pub use date::http_date;
pub use head::{Framing, Head, Limits, Method};
pub use response::{BadField, Body, BodyLength, Rendering, Sent, chunk, last_chunk, refusal};

/// Where something lies in a buffer: a head stays valid when its buffer moves.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// A span of two offsets; a head is far smaller than 4 GiB.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The bytes of this span; empty if `buf` does not hold it.
    #[inline]
    pub fn of(self, buf: &[u8]) -> &[u8] {
        buf.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// Why a request is answered with an error and its connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// One line for the client and the log; never holds what the peer sent.
    pub reason: &'static str,
}

impl Refusal {
    pub const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }
}

/// A refusal with status 400, by far the most common.
pub(crate) const fn bad(reason: &'static str) -> Refusal {
    Refusal::new(400, reason)
}
