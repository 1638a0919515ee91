//! The two ways in which a request body ends: a counted length and chunks.
//! <https://www.rfc-editor.org/rfc/rfc9112#section-7.1>

mod extension;
mod trailer;

use super::chars::hex_digit;
use super::{Framing, Refusal, bad};
use extension::Extension;
use trailer::Trailer;

/// A chunk size has at most so many digits: what fits 64 bits.
const MAX_SIZE_DIGITS: u8 = 16;
/// Bytes of chunk extensions in one message, all chunks together. Nobody uses any.
const MAX_EXTENSIONS: u16 = 4096;

/// Takes a body out of its framing, as its bytes arrive.
#[derive(Debug)]
pub enum Decoder {
    Length(u64),
    Chunked(Chunks),
}

/// What one call used up, and whether the body is complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decoded {
    pub consumed: usize,
    pub done: bool,
}

impl Decoder {
    pub fn new(framing: &Framing) -> Self {
        match framing {
            Framing::None => Self::Length(0),
            Framing::Length(length) => Self::Length(*length),
            Framing::Chunked => Self::Chunked(Chunks::default()),
        }
    }

    /// Gives the data in `input` to `sink`. What lies behind a body that is done is left alone.
    pub fn decode(&mut self, input: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<Decoded, Refusal> {
        match self {
            Self::Length(left) => {
                let data = input.get(..usize::try_from(*left).unwrap_or(usize::MAX)).unwrap_or(input);
                if !data.is_empty() {
                    sink(data);
                }
                *left -= data.len() as u64;
                Ok(Decoded { consumed: data.len(), done: *left == 0 })
            }
            Self::Chunked(chunks) => chunks.decode(input, sink),
        }
    }
}

#[derive(Debug)]
pub struct Chunks {
    state: State,
    /// Of the chunk size so far, then of the chunk's data that has not come.
    size: u64,
    digits: u8,
    extensions_left: u16,
}

#[derive(Debug)]
enum State {
    Size,
    Extension(Extension),
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    Trailer(Trailer),
    Done,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { state: State::Size, size: 0, digits: 0, extensions_left: MAX_EXTENSIONS }
    }
}

impl Chunks {
    fn decode(&mut self, input: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<Decoded, Refusal> {
        let mut rest = input;
        while !matches!(self.state, State::Done) {
            if let State::Data = self.state {
                let length = usize::try_from(self.size).unwrap_or(usize::MAX).min(rest.len());
                let (data, after) = rest.split_at(length);
                if !data.is_empty() {
                    sink(data);
                }
                self.size -= length as u64;
                rest = after;
                if self.size == 0 {
                    self.state = State::DataCr;
                }
            }
            let Some((&byte, after)) = rest.split_first() else { break };
            rest = after;
            self.step(byte)?;
        }
        Ok(Decoded { consumed: input.len() - rest.len(), done: matches!(self.state, State::Done) })
    }

    /// One byte of anything but data.
    fn step(&mut self, byte: u8) -> Result<(), Refusal> {
        match &mut self.state {
            State::Size => self.size_byte(byte)?,
            State::Extension(extension) => {
                self.extensions_left = self.extensions_left.saturating_sub(1);
                if self.extensions_left == 0 {
                    return Err(Refusal::new(413, "the chunk extensions are too large"));
                }
                if extension.step(byte)? {
                    self.state = State::SizeEnd;
                }
            }
            State::SizeEnd => {
                expect(byte, b'\n')?;
                self.digits = 0;
                self.state = if self.size == 0 { State::Trailer(Trailer::default()) } else { State::Data };
            }
            State::DataCr => {
                expect(byte, b'\r')?;
                self.state = State::DataLf;
            }
            State::DataLf => {
                expect(byte, b'\n')?;
                self.state = State::Size;
            }
            State::Trailer(trailer) => {
                if trailer.step(byte)? {
                    self.state = State::Done;
                }
            }
            State::Data | State::Done => {}
        }
        Ok(())
    }

    fn size_byte(&mut self, byte: u8) -> Result<(), Refusal> {
        let Some(digit) = hex_digit(byte) else {
            self.state = match byte {
                b'\r' if self.digits > 0 => State::SizeEnd,
                b';' if self.digits > 0 => State::Extension(Extension::default()),
                _ => return Err(bad("a chunk size is not a hexadecimal number")),
            };
            return Ok(());
        };
        if self.digits == MAX_SIZE_DIGITS {
            return Err(bad("a chunk size is too large"));
        }
        self.digits += 1;
        self.size = self.size << 4 | u64::from(digit);
        Ok(())
    }
}

fn expect(byte: u8, wanted: u8) -> Result<(), Refusal> {
    if byte == wanted { Ok(()) } else { Err(bad("a chunk or its size does not end with CRLF")) }
}
