//! The time of a line, rendered once a second.

use std::time::{Duration, UNIX_EPOCH};

use super::Format;

pub struct Stamp {
    format: Format,
    second: u64,
    text: Vec<u8>,
}

impl Stamp {
    pub fn new(format: Format) -> Self {
        Self { format, second: u64::MAX, text: Vec::new() }
    }

    /// `2026-11-21T10:17:24.123Z` (RFC 3339) or `21/Nov/2026:10:17:24 +0000`.
    pub fn write(&mut self, out: &mut Vec<u8>, unix_ms: u64) {
        let second = unix_ms / 1000;
        if second != self.second {
            self.second = second;
            self.text = render(self.format, second);
        }
        out.extend_from_slice(&self.text);
        if self.format == Format::Json {
            let ms = (unix_ms % 1000) as u16;
            out.extend_from_slice(&[digit(ms / 100), digit(ms / 10), digit(ms), b'Z']);
        }
    }
}

fn digit(value: u16) -> u8 {
    b'0' + (value % 10) as u8
}

fn render(format: Format, second: u64) -> Vec<u8> {
    // httpdate ends at the year 9999.
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second.min(253_402_300_799)));
    let (day, month, year, time) = (&date[5..7], &date[8..11], &date[12..16], &date[17..25]);
    match format {
        Format::Combined => format!("{day}/{month}/{year}:{time} +0000").into_bytes(),
        Format::Json => format!("{year}-{:02}-{day}T{time}.", number(month)).into_bytes(),
    }
}

fn number(month: &str) -> usize {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    MONTHS.find(month).unwrap_or_default() / 3 + 1
}
