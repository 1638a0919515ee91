//! The trailer section: checked, bounded and dropped. <https://www.rfc-editor.org/rfc/rfc9112#section-7.1.2>

use crate::http::chars::{is_field_text, is_token};
use crate::http::{Refusal, bad};

/// Bytes of the whole section.
const MAX_BYTES: u16 = 8192;
/// As long as the longest of `FORBIDDEN`.
const NAME: usize = 17;
/// A trailer must not say how the message is framed or routed: RFC 9110 section 6.5.1.
const FORBIDDEN: [&[u8]; 3] = [b"transfer-encoding", b"content-length", b"host"];

#[derive(Debug)]
pub struct Trailer {
    state: State,
    name: [u8; NAME],
    length: u16,
    left: u16,
}

#[derive(Debug)]
enum State {
    LineStart,
    Name,
    Value,
    LineEnd,
    End,
}

impl Default for Trailer {
    fn default() -> Self {
        Self { state: State::LineStart, name: [0; NAME], length: 0, left: MAX_BYTES }
    }
}

impl Trailer {
    /// True at the LF of the empty line that ends the section.
    pub fn step(&mut self, byte: u8) -> Result<bool, Refusal> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return Err(Refusal::new(431, "the trailers are too large"));
        }
        self.state = match (&self.state, byte) {
            (State::LineStart, b'\r') => State::End,
            (State::End, b'\n') => return Ok(true),
            (State::LineStart | State::Name, _) if is_token(byte) => {
                if let Some(place) = self.name.get_mut(usize::from(self.length)) {
                    *place = byte.to_ascii_lowercase();
                }
                self.length += 1;
                State::Name
            }
            (State::Name, b':') => {
                let name = self.name.get(..usize::from(self.length)).unwrap_or_default();
                if FORBIDDEN.contains(&name) {
                    return Err(bad("a trailer must not frame or route the message"));
                }
                self.length = 0;
                State::Value
            }
            (State::Value, b'\r') => State::LineEnd,
            (State::Value, _) if is_field_text(byte) => State::Value,
            (State::LineEnd, b'\n') => State::LineStart,
            _ => return Err(bad("a trailer is not valid")),
        };
        Ok(false)
    }
}
