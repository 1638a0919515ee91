//! Which answers are compressed, as pure functions of what the request and the answer say.
//!
//! BREACH (<https://breachattack.com>): where a secret stands beside text that a stranger can choose, the compressed length tells the
//! secret. So an answer that sets a cookie, or that belongs to a request with credentials (`Cookie`, `Authorization`) and does not say
//! `Cache-Control: public`, is sent as it is.

use super::{Coding, Settings};

/// What counts of a request.
#[derive(Clone, Copy, Default, Debug)]
pub struct Asked {
    /// The coding that `negotiate` chose.
    pub coding: Option<(Coding, u32)>,
    /// It carries `Cookie` or `Authorization`.
    pub credentials: bool,
}

/// What counts of an answer.
#[derive(Clone, Copy, Default, Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub content_type: &'a [u8],
    /// All `Cache-Control` values, joined by commas where there are several.
    pub cache_control: &'a [u8],
    /// It carries `Content-Encoding`, other than `identity`.
    pub encoded: bool,
    pub sets_cookie: bool,
    /// `None`: a stream.
    pub length: Option<usize>,
}

/// What to do with an answer.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Plan {
    pub coding: Option<(Coding, u32)>,
    /// Another request could get another coding: `Vary: Accept-Encoding`, see `vary`.
    pub vary: bool,
    /// The `ETag` names several codings: make it weak, see `weak`.
    pub weaken: bool,
}

/// Decides, for any answer of an application.
pub fn plan(settings: &Settings, asked: &Asked, answer: &Answer) -> Plan {
    if answer.encoded || answer.sets_cookie || directive(answer.cache_control, b"no-transform") {
        return Plan::default();
    }
    let secret = asked.credentials && !directive(answer.cache_control, b"public");
    let coding = asked.coding.filter(|_| !secret);
    if answer.status == 304 {
        // It updates what a cache stored of the compressed answer, whose ETag is the weak one (RFC 9111 4.3.4).
        return Plan { coding: None, vary: true, weaken: coding.is_some() };
    }
    let whole = !matches!(answer.status, 100..=199 | 204 | 205 | 206 | 416);
    let long = answer.length.is_none_or(|length| length >= settings.min.max(1));
    if !whole || !long || !compressible(answer.content_type) {
        return Plan::default();
    }
    Plan { coding, vary: true, weaken: coding.is_some() }
}

fn directive(cache_control: &[u8], name: &[u8]) -> bool {
    cache_control.split(|&byte| byte == b',').any(|directive| directive.trim_ascii().eq_ignore_ascii_case(name))
}

/// Whether a `Content-Type` names text; `text/event-stream` stays as it is: its messages are small, a window for each client is not.
pub fn compressible(content_type: &[u8]) -> bool {
    let essence = content_type.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    match essence.as_slice() {
        b"text/event-stream" => false,
        b"application/json"
        | b"application/javascript"
        | b"application/x-javascript"
        | b"application/x-ndjson"
        | b"application/xml"
        | b"application/wasm"
        | b"application/graphql"
        | b"application/rtf"
        | b"application/vnd.ms-fontobject"
        | b"font/otf"
        | b"font/ttf"
        | b"image/bmp"
        | b"image/x-icon"
        | b"image/vnd.microsoft.icon" => true,
        other => other.starts_with(b"text/") || other.ends_with(b"+json") || other.ends_with(b"+xml"),
    }
}

/// A `Vary` value that names `Accept-Encoding`, made of the answer's own (all fields); `None`: it does already.
pub fn vary(own: &[u8]) -> Option<Vec<u8>> {
    let mut elements = own.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    if elements.any(|element| element == b"*" || element.eq_ignore_ascii_case(b"accept-encoding")) {
        return None;
    }
    let own = own.trim_ascii();
    Some(if own.is_empty() { b"Accept-Encoding".to_vec() } else { [own, b", Accept-Encoding"].concat() })
}

/// An `ETag` as a weak one (RFC 9110 8.8.1): bytes differ from coding to coding, the meaning does not.
pub fn weak(etag: &[u8]) -> Vec<u8> {
    let prefix: &[u8] = if etag.starts_with(b"W/") { b"" } else { b"W/" };
    [prefix, etag].concat()
}
