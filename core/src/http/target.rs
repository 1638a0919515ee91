//! The four forms of a request target and the authority in them and in Host:
//! <https://www.rfc-editor.org/rfc/rfc9112#section-3.2>

use super::chars::{hex_digit, is_reg_name, is_target};
use super::{Method, Refusal, Span, bad};
use std::borrow::Cow;
use std::net::Ipv6Addr;

/// The parts of a request target, as spans of the head's buffer.
#[derive(Default)]
pub struct Target {
    pub path: Span,
    pub query: Span,
    pub has_query: bool,
    /// Of an absolute-form only.
    pub authority: Option<Span>,
}

/// Splits the target that lies at `span` of `buf`.
///
/// Every printable ASCII character but "#" may stand in it: browsers send `|`, `"`, `[`, `{` and `\` unescaped, and
/// none of them is ambiguous where the request ends.
pub fn parse(buf: &[u8], span: Span, method: Method) -> Result<Target, Refusal> {
    let target = span.of(buf);
    let mut mark = None;
    for (index, &byte) in target.iter().enumerate() {
        match byte {
            b'?' if mark.is_none() => mark = Some(index as u32),
            _ if is_target(byte) => {}
            _ => return Err(bad("the request target holds a byte that is not allowed there")),
        }
    }
    if method == Method::Connect {
        return Err(if authority(target) && port_given(target) {
            Refusal::new(501, "CONNECT is not supported")
        } else {
            bad("CONNECT without host:port")
        });
    }
    match target {
        [b'/', ..] => Ok(split(span, mark.map(|mark| span.start + mark))),
        b"*" if method == Method::Options => Ok(Target { path: span, ..Target::default() }),
        _ => absolute(target, span, mark.map(|mark| span.start + mark)),
    }
}

/// Path and query of what lies at `span`, whose first "?" is at `mark` of the buffer.
fn split(span: Span, mark: Option<u32>) -> Target {
    match mark {
        None => Target { path: span, ..Target::default() },
        Some(mark) => Target {
            path: Span { start: span.start, end: mark },
            query: Span { start: mark + 1, end: span.end },
            has_query: true,
            authority: None,
        },
    }
}

fn absolute(target: &[u8], span: Span, mark: Option<u32>) -> Result<Target, Refusal> {
    let scheme = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let Some(scheme) = scheme else {
        return Err(bad("the request target is neither a path nor an http or https URI"));
    };
    let rest = target.get(scheme.len()..).unwrap_or_default();
    let length = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
    // User information is refused: https://www.rfc-editor.org/rfc/rfc9110#section-4.2.4
    if !rest.get(..length).is_some_and(authority) {
        return Err(bad("the request target's host is not valid"));
    }
    let start = span.start + scheme.len() as u32;
    let end = start + length as u32;
    let mut parts = split(Span { start: end, end: span.end }, mark);
    if parts.path.is_empty() {
        // An empty path means "/" (RFC 9110 section 4.2.3); the scheme's last byte is one.
        parts.path = Span { start: start - 1, end: start };
    }
    parts.authority = Some(Span { start, end });
    Ok(parts)
}

/// Whether this is `uri-host [ ":" port ]` with a host that is not empty (RFC 9110 sections 4.2.1 and 7.2).
pub fn authority(bytes: &[u8]) -> bool {
    let (host, port) = match bytes {
        [b'[', rest @ ..] => {
            let Some(end) = memchr::memchr(b']', rest) else { return false };
            let (literal, port) = rest.split_at(end);
            (ip_literal(literal), port.get(1..).unwrap_or_default())
        }
        _ => {
            let length = bytes.iter().position(|&byte| !is_reg_name(byte)).unwrap_or(bytes.len());
            let (name, port) = bytes.split_at(length);
            if port.first() == Some(&b'%') {
                return escaped_name(bytes);
            }
            (!name.is_empty(), port)
        }
    };
    host && port_or_nothing(port)
}

/// A `reg-name` with `pct-encoded`, and a port: <https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2>
fn escaped_name(bytes: &[u8]) -> bool {
    let (name, port) = bytes.split_at(memchr::memchr(b':', bytes).unwrap_or(bytes.len()));
    let mut rest = name;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match after {
            [high, low, after @ ..] if byte == b'%' && hex_digit(*high).and(hex_digit(*low)).is_some() => after,
            _ if is_reg_name(byte) => after,
            _ => return false,
        };
    }
    port_or_nothing(port)
}

fn port_or_nothing(port: &[u8]) -> bool {
    match port {
        [] => true,
        [b':', digits @ ..] => port_number(digits),
        _ => false,
    }
}

fn port_given(authority: &[u8]) -> bool {
    authority.last().is_some_and(u8::is_ascii_digit)
        && authority.iter().rev().find(|byte| !byte.is_ascii_digit()) == Some(&b':')
}

fn port_number(digits: &[u8]) -> bool {
    let number = digits.iter().try_fold(0u32, |number, byte| {
        let number = number * 10 + u32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        (number <= 65_535).then_some(number)
    });
    number.is_some()
}

fn ip_literal(literal: &[u8]) -> bool {
    match literal {
        [b'v' | b'V', future @ ..] => {
            let mut halves = future.splitn(2, |&byte| byte == b'.');
            let version = halves.next().unwrap_or_default();
            let address = halves.next().unwrap_or_default();
            !version.is_empty()
                && version.iter().all(u8::is_ascii_hexdigit)
                && !address.is_empty()
                && address.iter().all(|&byte| is_reg_name(byte) || byte == b':')
        }
        _ => std::str::from_utf8(literal).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok()),
    }
}

/// Replaces `%` and two hexadecimal digits by the byte they stand for; any other `%` stays, as in Django.
pub fn percent_decode(path: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'%', path) else { return Cow::Borrowed(path) };
    let (plain, mut rest) = path.split_at(first);
    let mut decoded = Vec::with_capacity(path.len());
    decoded.extend_from_slice(plain);
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match after {
            [high, low, ..] if byte == b'%' => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(decoded)
}

/// The path decoded as Django decodes it: bytes that are no UTF-8 stay percent-encoded
/// (django.utils.encoding.repercent_broken_unicode).
pub fn decode_path(raw: &[u8]) -> Cow<'_, str> {
    match percent_decode(raw) {
        Cow::Borrowed(bytes) if bytes.is_ascii() => String::from_utf8_lossy(bytes),
        bytes => {
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                for byte in chunk.invalid() {
                    text.push_str(&format!("%{byte:02X}"));
                }
            }
            Cow::Owned(text)
        }
    }
}
