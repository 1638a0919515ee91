//! The head of a request: `httparse` splits it, and what `httparse` lets through but RFC 9112 does not (or leaves
//! open) is refused here. The verdict does not depend on how the bytes arrive.

use super::chars::is_token;
use super::fields::Fields;
use super::target;
use super::{Refusal, Span, bad};
use httparse::{Header, Request, Status};
use memchr::{memchr, memchr_iter};
use std::mem::MaybeUninit;

/// The longest field line, its line end included: as in Apache and gunicorn.
const MAX_FIELD: usize = 8190;
/// Up to so many fields are split on the stack.
const STACK_FIELDS: usize = 128;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Connect,
    Trace,
    #[default]
    Other,
}

impl Method {
    pub fn of(name: &[u8]) -> Self {
        match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            b"CONNECT" => Self::Connect,
            b"TRACE" => Self::Trace,
            _ => Self::Other,
        }
    }
}

/// A head and the bytes that it was parsed from.
pub type Line<'a> = (&'a Head, &'a [u8]);

/// How the end of the body is found: <https://www.rfc-editor.org/rfc/rfc9112#section-6.3>
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Framing {
    #[default]
    None,
    Length(u64),
    Chunked,
}

/// Bounds of a head: bytes of the whole, number of fields, bytes of the request target.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub head: usize,
    pub fields: usize,
    pub target: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: 65_536, fields: 100, target: 8192 }
    }
}

/// A parsed request head; all spans point into the buffer that it was parsed from. Kept and parsed into again.
#[derive(Default, Debug)]
pub struct Head {
    pub method: Method,
    pub method_span: Span,
    pub target: Span,
    pub path: Span,
    /// Empty without a query; see `has_query`.
    pub query: Span,
    pub has_query: bool,
    /// The digit after "HTTP/1.".
    pub minor: u8,
    /// Authority of an absolute-form, else Host's value; empty in HTTP/1.0 without Host.
    pub host: Span,
    /// Names as sent, values trimmed. With an absolute-form, Host's value is the target's authority.
    pub fields: Vec<(Span, Span)>,
    pub framing: Framing,
    pub keep_alive: bool,
    /// The client waits for "100 Continue" before it sends its body.
    pub expect_continue: bool,
    /// GET with `Upgrade: websocket`, `Connection: upgrade` and no body.
    pub websocket: bool,
    /// Bytes of the head, with the empty line that ends it.
    pub len: usize,
}

impl Head {
    /// Reads a head from the start of `buf`: `Ok(false)` when its end has not arrived yet.
    ///
    /// `seen` is 0 for a new head and belongs to this function until it returns `Ok(true)`, which sets it back to 0:
    /// how far `buf` has been searched, so that a head that arrives bytewise costs no more than one that does not.
    pub fn parse(&mut self, buf: &[u8], seen: &mut usize, limits: &Limits) -> Result<bool, Refusal> {
        let window = buf.get(..limits.head).unwrap_or(buf);
        // The usual case: the whole head is there.
        if *seen == 0
            && let Split::Whole(verdict) = self.split(window, limits)
        {
            return verdict.map(|()| true);
        }
        if self.search(window, seen, limits)? {
            *seen = 0;
            return match self.split(window, limits) {
                Split::Whole(verdict) => verdict.map(|()| true),
                Split::Failed(error) => Err(refusal(error)),
                Split::Partial | Split::LineEnd => Err(bad("the head is not valid")),
            };
        }
        if buf.len() < limits.head {
            return Ok(false);
        }
        let first_line = memchr(b'\n', window.get(leading(window)..).unwrap_or_default());
        Err(match first_line {
            None => Refusal::new(414, "the request target is too long"),
            Some(_) => Refusal::new(431, "the head is too large"),
        })
    }

    /// The value of the first field of this name, which is given in lower case.
    pub fn field<'a>(&self, buf: &'a [u8], lower_name: &[u8]) -> Option<&'a [u8]> {
        let named = |(name, _): &&(Span, Span)| name.of(buf).eq_ignore_ascii_case(lower_name);
        self.fields.iter().find(named).map(|(_, value)| value.of(buf))
    }

    /// The values of all fields of this name.
    pub fn values<'a>(&'a self, buf: &'a [u8], lower_name: &[u8]) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        let named = move |field: &&(Span, Span)| field.0.of(buf).eq_ignore_ascii_case(lower_name);
        self.fields.iter().filter(named).map(move |field| field.1.of(buf))
    }

    /// Looks for the empty line that ends the head, refusing a line end that is not CRLF and a bad request line as
    /// soon as they are there.
    fn search(&mut self, window: &[u8], seen: &mut usize, limits: &Limits) -> Result<bool, Refusal> {
        let start = leading(window);
        let head = window.get(start..).unwrap_or_default();
        match head {
            [] | [b'\r'] => {}
            [b'\r', b'\n', ..] => return Err(bad("more than one empty line before the request line")),
            [b'\n', ..] => return Err(bad(BARE_LF)),
            [first, ..] if !is_token(*first) => return Err(bad("the request line does not start with a method")),
            _ => {}
        }
        let first_line = memchr(b'\n', head);
        let from = seen.saturating_sub(start);
        for offset in memchr_iter(b'\n', head.get(from..).unwrap_or_default()) {
            let end = from + offset + 1;
            let line_end = head.get(..end).unwrap_or_default();
            if !line_end.ends_with(b"\r\n") {
                return Err(bad(BARE_LF));
            }
            if first_line == Some(end - 1) {
                self.request_line(window, start, start + end, limits)?;
            }
            if line_end.ends_with(b"\n\r\n") {
                return Ok(true);
            }
        }
        *seen = window.len();
        Ok(false)
    }

    /// Checks a request line whose fields have not all arrived.
    fn request_line(&mut self, window: &[u8], start: usize, end: usize, limits: &Limits) -> Result<(), Refusal> {
        let mut request = Request::new(&mut []);
        let line = window.get(start..end).unwrap_or_default();
        match request.parse(line) {
            Err(httparse::Error::Version) if names_version(line) => {
                return Err(Refusal::new(505, "only HTTP/1.0 and HTTP/1.1 are spoken here"));
            }
            Err(error) => return Err(refusal(error)),
            Ok(_) => {}
        }
        self.start(&request, window, limits).map(|_| ())
    }

    fn split(&mut self, window: &[u8], limits: &Limits) -> Split {
        if limits.fields <= STACK_FIELDS {
            let mut room = [const { MaybeUninit::uninit() }; STACK_FIELDS];
            self.split_into(window, limits, room.get_mut(..limits.fields).unwrap_or_default())
        } else {
            self.split_into(window, limits, &mut vec![MaybeUninit::uninit(); limits.fields])
        }
    }

    fn split_into<'b>(&mut self, window: &'b [u8], limits: &Limits, room: &mut [MaybeUninit<Header<'b>>]) -> Split {
        let mut request = Request::new(&mut []);
        match request.parse_with_uninit_headers(window, room) {
            Ok(Status::Complete(length)) => {
                self.len = length;
                if !self.collect(request.headers, window) || leading(window) != offset(window, request.method) {
                    return Split::LineEnd;
                }
                let start = self.start(&request, window, limits);
                Split::Whole(start.and_then(|authority| self.read(request.headers, window, authority)))
            }
            Ok(Status::Partial) => Split::Partial,
            Err(error) => Split::Failed(error),
        }
    }

    /// Keeps where the fields lie; false when a line does not end with CRLF, which `httparse` lets through.
    fn collect(&mut self, headers: &[Header<'_>], window: &[u8]) -> bool {
        let mut crlf = window.get(self.len.wrapping_sub(4)..self.len) == Some(b"\r\n\r\n");
        let base = window.as_ptr() as usize;
        self.fields.clear();
        self.fields.extend(headers.iter().map(|header| {
            let name = (header.name.as_ptr() as usize).wrapping_sub(base);
            let value = (header.value.as_ptr() as usize).wrapping_sub(base);
            crlf &= window.get(name.wrapping_sub(2)) == Some(&b'\r');
            (Span::new(name, name + header.name.len()), Span::new(value, value + header.value.len()))
        }));
        crlf
    }

    /// Method, target and version; returns the authority of an absolute-form.
    fn start(&mut self, request: &Request<'_, '_>, window: &[u8], limits: &Limits) -> Result<Option<Span>, Refusal> {
        let (Some(method), Some(path), Some(minor)) = (request.method, request.path, request.version) else {
            return Err(bad("the request line is not valid"));
        };
        // Django upper-cases methods: "get" would be answered as GET here and be an unknown method elsewhere.
        self.method = Method::of(method.as_bytes());
        if self.method == Method::Other && method.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err(bad("the method is not in capitals"));
        }
        if path.len() > limits.target {
            return Err(Refusal::new(414, "the request target is too long"));
        }
        let at = |text: &str| {
            let start = offset(window, Some(text));
            Span::new(start, start + text.len())
        };
        self.method_span = at(method);
        self.target = at(path);
        self.minor = minor;
        let target = target::parse(window, self.target, self.method)?;
        self.path = target.path;
        self.query = target.query;
        self.has_query = target.has_query;
        Ok(target.authority)
    }

    /// What the fields say about this message and its connection.
    fn read(&mut self, headers: &[Header<'_>], window: &[u8], authority: Option<Span>) -> Result<(), Refusal> {
        if self.len > MAX_FIELD {
            self.line_lengths()?;
        }
        let mut known = Fields::default();
        for (index, (header, (_, value))) in headers.iter().zip(&self.fields).enumerate() {
            known.take(index, header.name.as_bytes(), *value, window)?;
        }
        let host = known.host(window, self.minor)?;
        self.host = authority.or(host.map(|(_, value)| value)).unwrap_or_default();
        // https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2: the target's authority takes the place of Host's.
        if let (Some(authority), Some((index, _))) = (authority, host)
            && let Some((_, value)) = self.fields.get_mut(index)
        {
            *value = authority;
        }
        self.framing = known.framing(self.minor)?;
        self.keep_alive = known.keep_alive(self.minor);
        let body = !matches!(self.framing, Framing::None | Framing::Length(0));
        self.expect_continue = known.expect_continue && self.minor == 1 && body;
        self.websocket = known.websocket() && self.method == Method::Get && self.minor == 1 && !body;
        Ok(())
    }

    fn line_lengths(&self) -> Result<(), Refusal> {
        // The empty line is not of the last field.
        let ends = self.fields.iter().skip(1).map(|(name, _)| name.start as usize).chain([self.len - 2]);
        let mut lines = self.fields.iter().zip(ends).map(|((name, _), end)| end - name.start as usize);
        if lines.any(|length| length > MAX_FIELD) {
            return Err(Refusal::new(431, "a field line is too long"));
        }
        Ok(())
    }
}

enum Split {
    /// The whole head was there.
    Whole(Result<(), Refusal>),
    Partial,
    /// The whole head was there, with a line end that is not CRLF or more than one empty line before it.
    LineEnd,
    Failed(httparse::Error),
}

const BARE_LF: &str = "a line of the head does not end with CRLF";

/// The length of an empty line before the request line: <https://www.rfc-editor.org/rfc/rfc9112#section-2.2>
fn leading(window: &[u8]) -> usize {
    if window.starts_with(b"\r\n") { 2 } else { 0 }
}

/// Where a part that `httparse` returned lies in the buffer it was given.
fn offset(window: &[u8], part: Option<&str>) -> usize {
    part.map_or(usize::MAX, |part| (part.as_ptr() as usize).wrapping_sub(window.as_ptr() as usize))
}

/// Whether a request line ends with a version of HTTP, of whatever number.
fn names_version(line: &[u8]) -> bool {
    let mut parts = line.strip_suffix(b"\r\n").unwrap_or(line).split(|&byte| byte == b' ').skip(2);
    let version = parts.next().and_then(|version| version.strip_prefix(b"HTTP/"));
    parts.next().is_none()
        && matches!(version, Some([major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit())
}

fn refusal(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::new(431, "too many fields"),
        httparse::Error::HeaderName => bad("a field name is not valid"),
        httparse::Error::HeaderValue => bad("a field value is not valid"),
        httparse::Error::NewLine => bad("a line of the head ends wrongly"),
        httparse::Error::Status | httparse::Error::Token | httparse::Error::Version => {
            bad("the request line is not valid")
        }
    }
}
