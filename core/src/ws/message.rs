//! A message that did not come whole in one piece of input, or that is compressed.

use std::borrow::Cow;

use super::codec::Event;
use super::deflate::{self, Inflater};
use super::frame::{Header, Opcode};
use super::mask::{rotated, unmask};
use super::{Failure, utf8};

pub struct Partial {
    data: Vec<u8>,
    inflater: Option<Inflater>,
    text: bool,
    /// Bytes of `data` that are whole characters of a text.
    valid: usize,
    /// Bytes of payload that came, compressed or not.
    came: usize,
    /// Whether a frame's payload is not yet complete, and what is missing of it.
    open: bool,
    missing: usize,
    mask: [u8; 4],
    fin: bool,
}

impl Partial {
    /// A message's first frame, without its payload.
    pub fn begin(header: &Header) -> Self {
        let mut partial = Self {
            data: Vec::new(),
            inflater: header.compressed.then(Inflater::new),
            text: header.opcode == Opcode::Text,
            valid: 0,
            came: 0,
            open: false,
            missing: 0,
            mask: [0; 4],
            fin: false,
        };
        partial.go_on(header);
        partial
    }

    /// The next frame, without its payload; the caller has checked its length against `room`.
    pub fn go_on(&mut self, header: &Header) {
        self.open = true;
        self.missing = header.len as usize;
        self.mask = header.mask;
        self.fin = header.fin;
    }

    /// Most bytes of payload that the next frame may have.
    pub fn room(&self, max_message: usize) -> usize {
        if self.inflater.is_some() { deflate::bound(max_message) } else { max_message }.saturating_sub(self.came)
    }

    /// Bytes that it takes in memory.
    pub fn held(&self) -> usize {
        self.data.len() + if self.inflater.is_some() { deflate::INFLATER } else { 0 }
    }

    pub fn in_frame(&self) -> bool {
        self.open
    }

    pub fn is_whole(&self) -> bool {
        self.fin && !self.open
    }

    /// Takes what `buf` has of the frame's payload and returns how much that was.
    pub fn absorb(&mut self, buf: &mut [u8], max_message: usize) -> Result<usize, Failure> {
        let take = self.missing.min(buf.len());
        let part = buf.get_mut(..take).unwrap_or_default();
        unmask(part, self.mask);
        self.mask = rotated(self.mask, take);
        self.missing -= take;
        self.came += take;
        self.open = self.missing > 0;
        match &mut self.inflater {
            Some(inflater) => inflater.inflate(part, &mut self.data, max_message)?,
            None => self.data.extend_from_slice(part),
        }
        self.check_text()?;
        Ok(take)
    }

    fn check_text(&mut self) -> Result<(), Failure> {
        if self.text {
            self.valid = utf8::advance(&self.data, self.valid)?;
        }
        Ok(())
    }

    /// The whole message.
    pub fn finish<'a>(mut self, max_message: usize) -> Result<Event<'a>, Failure> {
        if let Some(inflater) = &mut self.inflater {
            inflater.finish(&mut self.data, max_message)?;
            self.check_text()?;
        }
        if !self.text {
            return Ok(Event::Binary(Cow::Owned(self.data)));
        }
        if self.valid != self.data.len() {
            return Err(Failure::TEXT);
        }
        // SAFETY: `check_text` found whole characters up to `valid`, the data's end.
        Ok(Event::Text(Cow::Owned(unsafe { String::from_utf8_unchecked(self.data) })))
    }
}
