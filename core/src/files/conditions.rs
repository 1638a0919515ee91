//! Conditional requests: <https://www.rfc-editor.org/rfc/rfc9110#section-13>.

use std::time::UNIX_EPOCH;

use super::variant::Variant;

/// The header fields that `Files::lookup` reads.
#[derive(Clone, Copy, Default, Debug)]
pub struct Conditions<'a> {
    pub accept_encoding: Option<&'a [u8]>,
    pub if_none_match: Option<&'a [u8]>,
    pub if_modified_since: Option<&'a [u8]>,
    pub if_range: Option<&'a [u8]>,
    pub range: Option<&'a [u8]>,
}

impl<'a> Conditions<'a> {
    /// Takes note of one header field, its name as it came; for one pass over a head. Of repeated fields the first counts.
    pub fn note(&mut self, name: &[u8], value: &'a [u8]) {
        let (place, known): (&mut Option<&'a [u8]>, &[u8]) = match name.len() {
            5 => (&mut self.range, b"range"),
            8 => (&mut self.if_range, b"if-range"),
            13 => (&mut self.if_none_match, b"if-none-match"),
            15 => (&mut self.accept_encoding, b"accept-encoding"),
            17 => (&mut self.if_modified_since, b"if-modified-since"),
            _ => return,
        };
        if name.eq_ignore_ascii_case(known) {
            place.get_or_insert(value);
        }
    }

    /// Whether the client has this very variant. `If-None-Match` wins over `If-Modified-Since` (RFC 9110 13.2.2).
    pub(super) fn unchanged(&self, variant: &Variant) -> bool {
        match (self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => tags.trim_ascii() == b"*" || etags(tags).any(|tag| tag == variant.etag()),
            (None, Some(date)) => {
                date == variant.modified() || seconds(date).is_some_and(|date| variant.seconds <= date)
            }
            (None, None) => false,
        }
    }

    /// `If-Range`: a strong `ETag` or the exact date, else the whole file is sent (RFC 9110 13.1.5).
    pub(super) fn range_applies(&self, variant: &Variant) -> bool {
        self.if_range.is_none_or(|validator| validator == variant.etag() || validator == variant.modified())
    }
}

/// The opaque tags of a list, quotes included, without `W/`: `If-None-Match` compares weakly (RFC 9110 8.8.3.2).
fn etags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = memchr::memchr(b'"', rest)?;
        let tail = rest.get(start + 1..)?;
        let len = memchr::memchr(b'"', tail)?;
        let tag = rest.get(start..start + len + 2)?;
        rest = tail.get(len + 1..)?;
        Some(tag)
    })
}

/// Any of the three date formats of RFC 9110 5.6.7, in seconds since 1970.
fn seconds(date: &[u8]) -> Option<u64> {
    let date = httpdate::parse_http_date(std::str::from_utf8(date).ok()?).ok()?;
    date.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}
