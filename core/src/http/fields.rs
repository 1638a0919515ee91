//! The fields that decide about host, framing and connection, each with the strict reading of its RFC.

use super::chars::{list, token, trim};
use super::{Framing, Refusal, Span, bad, target};

/// The lengths of the names that matter here, as bits.
const LENGTHS: u32 = 1 << 4 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 12 | 1 << 14 | 1 << 17;

/// What a head's fields say, gathered in one pass.
#[derive(Default)]
pub struct Fields {
    host: Option<(usize, Span)>,
    length: Option<u64>,
    coding: Option<Refusal>,
    chunked: bool,
    content_type: bool,
    close: bool,
    keep_alive: bool,
    upgrade: bool,
    to_websocket: bool,
    pub expect_continue: bool,
}

impl Fields {
    /// Takes one field in.
    #[inline]
    pub fn take(&mut self, index: usize, name: &[u8], value: Span, buf: &[u8]) -> Result<(), Refusal> {
        if name.len() < 32 && LENGTHS >> name.len() & 1 != 0 { self.known(index, name, value, buf) } else { Ok(()) }
    }

    fn known(&mut self, index: usize, name: &[u8], value: Span, buf: &[u8]) -> Result<(), Refusal> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            4 if is(b"host") => self.take_host(index, value),
            6 if is(b"expect") => self.take_expect(value.of(buf)),
            7 if is(b"upgrade") => {
                self.to_websocket |= list(value.of(buf)).any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"));
                Ok(())
            }
            10 if is(b"connection") => {
                self.take_connection(value.of(buf));
                Ok(())
            }
            12 if is(b"content-type") => once(&mut self.content_type, "more than one Content-Type"),
            14 if is(b"content-length") => self.take_length(value.of(buf)),
            17 if is(b"transfer-encoding") => self.take_coding(value, buf),
            _ => Ok(()),
        }
    }

    fn take_host(&mut self, index: usize, value: Span) -> Result<(), Refusal> {
        if self.host.replace((index, value)).is_some() {
            return Err(bad("more than one Host"));
        }
        Ok(())
    }

    fn take_expect(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::new(417, "the expectation is not known"));
        }
        self.expect_continue = true;
        Ok(())
    }

    fn take_connection(&mut self, value: &[u8]) {
        if value == b"keep-alive" {
            self.keep_alive = true; // what nearly every client sends
            return;
        }
        for option in list(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }

    /// Digits, once. A list of equal lengths may be taken as one (RFC 9112 section 6.3), and is where servers differ.
    fn take_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        let Some(length) = number(value) else { return Err(bad("Content-Length is not a number")) };
        if self.length.replace(length).is_some() {
            return Err(bad("more than one Content-Length"));
        }
        Ok(())
    }

    fn take_coding(&mut self, span: Span, buf: &[u8]) -> Result<(), Refusal> {
        let after = buf.get(span.end as usize..).unwrap_or_default();
        // llhttp trims spaces only, and would see another coding.
        if after.iter().take_while(|&&byte| byte != b'\r').any(|&byte| byte == b'\t') {
            return Err(bad("a tab after the transfer coding"));
        }
        let value = span.of(buf);
        if self.chunked {
            return Err(bad("chunked is not the only transfer coding"));
        }
        self.chunked = value.eq_ignore_ascii_case(b"chunked");
        if !self.chunked {
            self.coding = Some(other_coding(value));
        }
        Ok(())
    }

    /// Host's index and value; refuses one that is missing in HTTP/1.1, or not valid.
    pub fn host(&self, buf: &[u8], minor: u8) -> Result<Option<(usize, Span)>, Refusal> {
        match self.host {
            None if minor == 1 => Err(bad("no Host")),
            Some((_, value)) if !target::authority(value.of(buf)) => Err(bad("Host is not valid")),
            host => Ok(host),
        }
    }

    pub fn framing(&self, minor: u8) -> Result<Framing, Refusal> {
        let coded = self.chunked || self.coding.is_some();
        match (coded, self.length) {
            (true, Some(_)) => Err(bad("both Transfer-Encoding and Content-Length")),
            (true, None) if minor == 0 => Err(bad("Transfer-Encoding in HTTP/1.0")),
            (true, None) => self.coding.map_or(Ok(Framing::Chunked), Err),
            (false, Some(length)) => Ok(Framing::Length(length)),
            (false, None) => Ok(Framing::None),
        }
    }

    /// <https://www.rfc-editor.org/rfc/rfc9112#section-9.3>
    pub fn keep_alive(&self, minor: u8) -> bool {
        !self.close && (minor == 1 || self.keep_alive)
    }

    pub fn websocket(&self) -> bool {
        self.upgrade && self.to_websocket
    }
}

fn once(seen: &mut bool, reason: &'static str) -> Result<(), Refusal> {
    if std::mem::replace(seen, true) { Err(bad(reason)) } else { Ok(()) }
}

/// A decimal number that fits 64 bits, and nothing else.
pub fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// A coding before a final chunked is one that we do not have (501); without that end the body has none (400):
/// <https://www.rfc-editor.org/rfc/rfc9112#section-6.1>
fn other_coding(value: &[u8]) -> Refusal {
    let mut codings = value.split(|&byte| byte == b',').map(trim);
    let last = codings.next_back().unwrap_or_default();
    if last.eq_ignore_ascii_case(b"chunked")
        && codings.all(|coding| token(coding) && !coding.eq_ignore_ascii_case(b"chunked"))
    {
        return Refusal::new(501, "no transfer coding but chunked is supported");
    }
    bad("Transfer-Encoding is not chunked")
}
