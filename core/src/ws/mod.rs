//! The WebSocket protocol (RFC 6455) with permessage-deflate (RFC 7692), server side: bytes in, events and bytes out, no sockets.

mod close;
mod codec;
mod deflate;
mod extension;
mod frame;
mod handshake;
mod mask;
mod message;
mod response;
#[cfg(test)]
mod tests;
mod utf8;

pub use close::sendable;
pub use codec::{Codec, Event};
pub use extension::Deflate;
pub use frame::{close, ping, pong, prepared};
pub use handshake::{Handshake, accept_key, check_handshake};
pub use response::{BadResponse, Response};

/// What a server allows on its WebSockets; one for the whole process.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Bytes of the largest message taken from a peer, after inflating; a larger one fails the connection with 1009.
    pub max_message: usize,
    /// Whether permessage-deflate is accepted when a client offers it.
    pub deflate: bool,
    /// Bytes of payload from which an outgoing message is compressed.
    pub deflate_min: usize,
    /// zlib level (1 to 9) of outgoing messages.
    pub deflate_level: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_message: 16 << 20, deflate: true, deflate_min: 512, deflate_level: 1 }
    }
}

/// Why a connection has to be failed (RFC 6455 section 7.1.7): the close code to send, and a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: u16,
    pub reason: &'static str,
}

impl Failure {
    const fn protocol(reason: &'static str) -> Self {
        Self { code: 1002, reason }
    }

    const TEXT: Self = Self { code: 1007, reason: "text is not valid UTF-8" };
    const INFLATE: Self = Self { code: 1007, reason: "compressed data is corrupt" };
    const TOO_BIG: Self = Self { code: 1009, reason: "message too big" };
}
