//! `Range`: <https://www.rfc-editor.org/rfc/rfc9110#section-14.2>. One range of bytes; anything else gets the whole file, as the RFC allows.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    Whole,
    /// `end` is one past the last byte.
    Part {
        start: u64,
        end: u64,
    },
    Unsatisfiable,
}

impl Range {
    pub fn parse(value: &[u8], len: u64) -> Self {
        Self::read(value, len).unwrap_or(Self::Whole)
    }

    fn read(value: &[u8], len: u64) -> Option<Self> {
        let (unit, range) = value.split_at_checked(6)?;
        if !unit.eq_ignore_ascii_case(b"bytes=") {
            return None;
        }
        let range = range.trim_ascii();
        let dash = memchr::memchr(b'-', range)?;
        let (first, last) = (range.get(..dash)?, range.get(dash + 1..)?);
        let (start, end) = match (first, last) {
            (b"", suffix) => (len.saturating_sub(number(suffix)?), if number(suffix)? == 0 { 0 } else { len }),
            (first, b"") => (number(first)?, len),
            (first, last) if number(first)? > number(last)? => return None,
            (first, last) => (number(first)?, number(last)?.saturating_add(1).min(len)),
        };
        Some(if start < end { Self::Part { start, end } } else { Self::Unsatisfiable })
    }
}

/// Digits only; a number beyond 64 bits is as good as the largest.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value =
        digits.iter().try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    Some(value.unwrap_or(u64::MAX))
}
