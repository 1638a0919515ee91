//! The codec fed with bytes.

mod compression;
mod frames;
mod handshakes;
mod properties;

use super::*;

/// An event that keeps its own bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
    Failed(u16),
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into_owned()),
            Event::Binary(data) => Self::Binary(data.into_owned()),
            Event::Ping(data) => Self::Ping(data.to_vec()),
            Event::Pong(data) => Self::Pong(data.to_vec()),
            Event::Close { code, reason } => Self::Close(code, reason.to_owned()),
        }
    }
}

/// A masked frame as a client sends it; `first` is its first byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let (header, size) = frame::header(frame::Opcode::Text, false, payload.len());
    let mut out = header[..size].to_vec();
    (out[0], out[1]) = (first, out[1] | 0x80);
    let key = [0x37, 0xfa, 0x21, 0x3d];
    out.extend_from_slice(&key);
    let start = out.len();
    out.extend_from_slice(payload);
    mask::unmask(&mut out[start..], key);
    out
}

pub fn codec(max_message: usize, deflate: bool) -> Codec {
    let settings = Settings { max_message, ..Settings::default() };
    Codec::new(&settings, deflate.then_some(Deflate { server_bits: None }))
}

/// Feeds `input` in pieces that end at `cuts`, keeping what the codec leaves, as a connection's buffer does.
pub fn feed(codec: &mut Codec, input: &[u8], cuts: &[usize]) -> Vec<Seen> {
    let (mut seen, mut buffer, mut at) = (Vec::new(), Vec::new(), 0);
    let mut ends: Vec<usize> = cuts.iter().map(|&cut| cut.min(input.len())).collect();
    ends.push(input.len());
    ends.sort_unstable();
    for end in ends {
        buffer.extend_from_slice(&input[at..end]);
        at = end;
        loop {
            let (taken, result) = codec.feed(&mut buffer);
            let event = match result {
                Ok(event) => event.map(Seen::from),
                Err(failure) => Some(Seen::Failed(failure.code)),
            };
            buffer.drain(..taken);
            let Some(event) = event else { break };
            seen.push(event);
        }
        assert!(buffer.len() <= 139, "the codec leaves {} bytes", buffer.len());
    }
    seen
}

/// All that `input` means to a fresh codec.
pub fn events(input: &[u8]) -> Vec<Seen> {
    feed(&mut codec(1 << 20, false), input, &[])
}

pub fn text(text: &str) -> Seen {
    Seen::Text(text.to_owned())
}
