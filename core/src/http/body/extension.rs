//! Chunk extensions: checked, bounded by the caller and dropped.
//! <https://www.rfc-editor.org/rfc/rfc9112#section-7.1.1>

use crate::http::chars::{is_field_text, is_token};
use crate::http::{Refusal, bad};

/// Where in `;name=value` the next byte stands. Of the white space that the RFC tolerates, only that behind ";" is
/// taken: some client sends it, and llhttp and others refuse the rest too.
#[derive(Default, Debug)]
pub enum Extension {
    #[default]
    Before,
    Name,
    Equals,
    Value,
    Quoted,
    Escaped,
    AfterQuoted,
}

impl Extension {
    /// True at the CR that ends the line of the chunk size.
    pub fn step(&mut self, byte: u8) -> Result<bool, Refusal> {
        *self = match (&*self, byte) {
            (Self::Name | Self::Value | Self::AfterQuoted, b'\r') => return Ok(true),
            (Self::Name | Self::Value | Self::AfterQuoted, b';') => Self::Before,
            (Self::Before, b' ' | b'\t') => Self::Before,
            (Self::Before | Self::Name, _) if is_token(byte) => Self::Name,
            (Self::Name, b'=') => Self::Equals,
            (Self::Equals, b'"') => Self::Quoted,
            (Self::Equals | Self::Value, _) if is_token(byte) => Self::Value,
            (Self::Quoted, b'"') => Self::AfterQuoted,
            (Self::Quoted, b'\\') => Self::Escaped,
            (Self::Quoted | Self::Escaped, _) if is_field_text(byte) => Self::Quoted,
            _ => return Err(bad("a chunk extension is not valid")),
        };
        Ok(false)
    }
}
