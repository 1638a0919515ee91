//! One WebSocket. Frames of up to 64 KiB, never fragmented, as the compared servers send them.
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;

const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

pub struct Socket {
    pub stream: TcpStream,
    pub sent: Instant,
    buf: Vec<u8>,
}

impl Socket {
    /// The key and its answer are the example of RFC 6455, section 1.3. No extension is offered.
    pub fn open(address: SocketAddr, path: &str) -> Result<Self> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )?;
        let mut buf = Vec::new();
        let head = loop {
            let mut bytes = [0; 4096];
            match stream.read(&mut bytes)? {
                0 => return Err(Error::other("closed in the handshake")),
                count => buf.extend_from_slice(&bytes[..count]),
            }
            if let Some(end) = memchr::memmem::find(&buf, b"\r\n\r\n") {
                break buf.drain(..end + 4).collect::<Vec<u8>>();
            }
        };
        let accepted = memchr::memmem::find(&head, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").is_some();
        if !head.starts_with(b"HTTP/1.1 101 ") || !accepted {
            return Err(Error::other(format!("refused: {:.40}", String::from_utf8_lossy(&head))));
        }
        stream.set_nonblocking(true)?;
        Ok(Self { stream: TcpStream::from_std(stream), sent: Instant::now(), buf })
    }

    /// Frames are far smaller than the socket's buffer, and few are in flight: a partial write is an error.
    pub fn send(&mut self, frames: &[u8]) -> Result<()> {
        self.sent = Instant::now();
        if self.stream.write(frames)? == frames.len() { Ok(()) } else { Err(Error::other("a partial write")) }
    }

    /// Reads all that is there; how many messages came. Each must be `expected`. Pings are answered.
    pub fn receive(&mut self, expected: &[u8], scratch: &mut [u8]) -> Result<usize> {
        let mut messages = 0;
        loop {
            let count = match self.stream.read(scratch) {
                Ok(0) => return Err(Error::from(ErrorKind::UnexpectedEof)),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(messages),
                Err(error) => return Err(error),
            };
            let mut buf = std::mem::take(&mut self.buf);
            let fresh = &scratch[..count];
            let used = if buf.is_empty() {
                self.take(fresh, expected, &mut messages)?
            } else {
                buf.extend_from_slice(fresh);
                self.take(&buf, expected, &mut messages)?
            };
            if buf.is_empty() {
                buf.extend_from_slice(&fresh[used..]);
            } else {
                buf.drain(..used);
            }
            self.buf = buf;
            if count < scratch.len() {
                return Ok(messages);
            }
        }
    }

    fn take(&mut self, buf: &[u8], expected: &[u8], messages: &mut usize) -> Result<usize> {
        let mut used = 0;
        while let Some((kind, payload, length)) = frame(&buf[used..]) {
            match kind {
                TEXT if payload == expected => *messages += 1,
                PING => self.stream.write_all(&masked(PONG, payload))?,
                PONG => {}
                CLOSE => return Err(Error::other("closed by the server")),
                _ => return Err(Error::other("another message than expected")),
            }
            used += length;
        }
        Ok(used)
    }
}

pub fn text(payload: &[u8]) -> Vec<u8> {
    masked(TEXT, payload)
}

fn masked(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// First byte, payload and whole length of the frame at the start.
fn frame(buf: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (kind, length) = (*buf.first()?, *buf.get(1)?);
    let (from, length) = match length {
        126 => (4, usize::from(u16::from_be_bytes([*buf.get(2)?, *buf.get(3)?]))),
        length => (2, usize::from(length)),
    };
    Some((kind, buf.get(from..from + length)?, from + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        // RFC 6455, section 5.7
        assert_eq!(frame(b"\x81\x05Hello!"), Some((TEXT, &b"Hello"[..], 7)));
        assert_eq!(frame(b"\x81\x05Hell"), None);
        assert_eq!(text(b"ab"), b"\x81\x82\x12\x34\x56\x78sV");
    }
}
