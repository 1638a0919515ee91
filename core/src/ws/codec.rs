//! Frames in, events out: what one connection has received and what it says back.

use std::borrow::Cow;

use super::frame::{Header, Opcode};
use super::mask::unmask;
use super::message::Partial;
use super::{Deflate, Failure, Settings, close, deflate, frame, utf8};

/// Something that the peer said. A message that came whole and uncompressed borrows the bytes that were fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Text(Cow<'a, str>),
    Binary(Cow<'a, [u8]>),
    /// To be answered by a pong with the same payload.
    Ping(&'a [u8]),
    Pong(&'a [u8]),
    /// The peer's close frame; `code` is 1005 when it had none. Nothing follows it.
    Close {
        code: u16,
        reason: &'a str,
    },
}

/// One connection's side of the protocol. Idle it is these few bytes: what a message in parts needs is made when one begins.
pub struct Codec {
    max_message: usize,
    deflate_min: usize,
    partial: Option<Box<Partial>>,
    deflate: Option<Deflate>,
    level: u8,
    done: bool,
}

impl Codec {
    /// `deflate`: what `check_handshake` negotiated.
    pub fn new(settings: &Settings, deflate: Option<Deflate>) -> Self {
        let Settings { max_message, deflate_min, deflate_level: level, .. } = *settings;
        Self { max_message, deflate_min, partial: None, deflate, level, done: false }
    }

    /// Takes bytes from the start of `buf`, which it may change, up to the end of the first event. Returns how many it took
    /// and the event; `None` means that it needs more than `buf` has. The bytes left must be fed again, with more behind them:
    /// never more than a frame's header or a control frame (139 bytes). After a close frame or a failure all input is dropped.
    pub fn feed<'a>(&mut self, buf: &'a mut [u8]) -> (usize, Result<Option<Event<'a>>, Failure>) {
        let all = buf.len();
        if self.done {
            return (all, Ok(None));
        }
        match self.step(buf) {
            Ok((taken, event)) => (taken, Ok(event)),
            Err(failure) => {
                self.stop();
                (all, Err(failure))
            }
        }
    }

    fn step<'a>(&mut self, buf: &'a mut [u8]) -> Result<(usize, Option<Event<'a>>), Failure> {
        let mut at = 0;
        loop {
            if let Some(partial) = self.partial.as_mut().filter(|partial| partial.in_frame()) {
                at += partial.absorb(buf.get_mut(at..).unwrap_or_default(), self.max_message)?;
                if partial.in_frame() {
                    return Ok((at, None));
                }
                if let Some(partial) = self.partial.take_if(|partial| partial.is_whole()) {
                    return Ok((at, Some(partial.finish(self.max_message)?)));
                }
            }
            let Some(header) = Header::parse(buf.get(at..).unwrap_or_default(), self.deflate.is_some())? else {
                return Ok((at, None));
            };
            let start = at + header.size;
            if header.opcode as u8 >= Opcode::Close as u8 {
                let end = start + header.len as usize;
                if end > buf.len() {
                    return Ok((at, None));
                }
                let payload = buf.get_mut(start..end).unwrap_or_default();
                unmask(payload, header.mask);
                return Ok((end, Some(self.control(header.opcode, payload)?)));
            }
            self.check(&header)?;
            // `check` has bound the length, so that this does not overflow.
            let end = start + header.len as usize;
            if header.fin && !header.compressed && header.opcode != Opcode::Continuation && end <= buf.len() {
                let payload = buf.get_mut(start..end).unwrap_or_default();
                unmask(payload, header.mask);
                let event = match header.opcode {
                    Opcode::Text => Event::Text(Cow::Borrowed(utf8::whole(payload)?)),
                    _ => Event::Binary(Cow::Borrowed(payload)),
                };
                return Ok((end, Some(event)));
            }
            match &mut self.partial {
                Some(partial) => partial.go_on(&header),
                none => *none = Some(Box::new(Partial::begin(&header))),
            }
            at = start;
        }
    }

    /// Refuses a data frame out of turn or too large, before its payload is there.
    fn check(&self, header: &Header) -> Result<(), Failure> {
        match (header.opcode, &self.partial) {
            (Opcode::Continuation, None) => return Err(Failure::protocol("continuation without a message")),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(Failure::protocol("a new message before the last one's end"));
            }
            _ => {}
        }
        let room = match &self.partial {
            Some(partial) => partial.room(self.max_message),
            None if header.compressed => deflate::bound(self.max_message),
            None => self.max_message,
        };
        if header.len > room as u64 { Err(Failure::TOO_BIG) } else { Ok(()) }
    }

    fn control<'a>(&mut self, opcode: Opcode, payload: &'a [u8]) -> Result<Event<'a>, Failure> {
        Ok(match opcode {
            Opcode::Ping => Event::Ping(payload),
            Opcode::Pong => Event::Pong(payload),
            _ => {
                let (code, reason) = close::parse(payload)?;
                self.stop();
                Event::Close { code, reason }
            }
        })
    }

    /// Bytes kept of a message whose end has not come.
    pub fn held(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.held())
    }

    /// Drops that message, and all input from here on.
    pub fn stop(&mut self) {
        self.done = true;
        self.partial = None;
    }

    /// Appends one message, compressed when that was negotiated, it is long enough and it becomes smaller.
    pub fn message(&mut self, out: &mut Vec<u8>, text: bool, payload: &[u8]) {
        let opcode = if text { Opcode::Text } else { Opcode::Binary };
        match self.deflate {
            Some(negotiated)
                if payload.len() >= self.deflate_min
                    && deflate::compressed(out, opcode, payload, negotiated.server_bits.unwrap_or(15), self.level) => {}
            _ => frame::plain(out, opcode, payload),
        }
    }
}
