//! CORS for native routes, by the settings of django-cors-headers: <https://fetch.spec.whatwg.org/#http-cors-protocol>

use pyo3::prelude::*;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use super::Engine;
use super::conn::Exchange;
use super::finish::Answered;
use super::slab::Token;
use crate::http::head::{Framing, Head, Line, Method};
use crate::http::response::{BadField, BodyLength, Rendering};
use crate::http::target::decode_path;

/// Answers of one regular expression that are kept, and the longest text of one: a page's origin comes again and again.
const KEPT: usize = 1024;
const LONGEST: usize = 256;

/// What an answer says of CORS.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Cors {
    #[default]
    Off,
    /// The request's origin may not read it, but another one might: caches must tell them apart.
    Vary,
    Any,
    /// The request's own origin may read it.
    Origin,
}

/// Whether a text matches, as Python's `re` has it; asked once for each text that comes again.
struct Pattern {
    matches: Py<PyAny>,
    seen: RefCell<HashMap<Vec<u8>, bool>>,
}

impl Pattern {
    fn new(matches: Py<PyAny>) -> Self {
        Self { matches, seen: RefCell::default() }
    }

    /// `decode`: the text of these bytes.
    fn matches(&self, py: Python<'_>, text: &[u8], decode: fn(&[u8]) -> Cow<'_, str>) -> bool {
        if let Some(known) = self.seen.borrow().get(text) {
            return *known;
        }
        let called = self.matches.bind(py).call1((decode(text),)).and_then(|answer| answer.is_truthy());
        let matches = called.unwrap_or_else(|error| {
            error.write_unraisable(py, None);
            false
        });
        if text.len() > LONGEST {
            return matches;
        }
        let mut seen = self.seen.borrow_mut();
        if seen.len() >= KEPT {
            seen.clear();
        }
        seen.insert(text.to_vec(), matches);
        matches
    }
}

/// `django_rivet.cors.policy`, as `Reactor.cors` takes it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Given {
    origins: Vec<String>,
    any: bool,
    credentials: bool,
    expose: String,
    headers: String,
    methods: String,
    max_age: u64,
    private_network: bool,
    /// Called with an origin that `origins` has not.
    matches: Option<Py<PyAny>>,
    /// Called with a path; None: it holds for all.
    covers: Option<Py<PyAny>>,
}

pub struct Policy {
    given: Given,
    max_age: String,
    matches: Option<Pattern>,
    covers: Option<Pattern>,
}

impl Policy {
    pub fn new(py: Python<'_>, given: Given) -> Self {
        let pattern =
            |callable: &Option<Py<PyAny>>| callable.as_ref().map(|callable| Pattern::new(callable.clone_ref(py)));
        let (matches, covers) = (pattern(&given.matches), pattern(&given.covers));
        Self { max_age: given.max_age.to_string(), matches, covers, given }
    }

    fn judge(&self, py: Python<'_>, head: &Head, bytes: &[u8]) -> Cors {
        let covered = self.covers.as_ref().is_none_or(|covers| covers.matches(py, head.path.of(bytes), decode_path));
        if !covered {
            return Cors::Off;
        }
        let Some(origin) = head.field(bytes, b"origin").filter(|origin| !origin.is_empty()) else { return Cors::Vary };
        if self.given.any {
            // With credentials a browser takes no `*`.
            return if self.given.credentials { Cors::Origin } else { Cors::Any };
        }
        let named = self.given.origins.iter().any(|each| each.as_bytes() == origin);
        let allowed =
            named || self.matches.as_ref().is_some_and(|matches| matches.matches(py, origin, String::from_utf8_lossy));
        if allowed { Cors::Origin } else { Cors::Vary }
    }

    /// Adds what an answer says of CORS.
    fn write(&self, cors: Cors, line: Line<'_>, answer: &mut Rendering<'_>) -> Result<(), BadField> {
        let (head, bytes) = line;
        answer.field(b"Vary", b"Origin")?;
        let origin = match cors {
            Cors::Off | Cors::Vary => return Ok(()),
            Cors::Any => b"*",
            Cors::Origin => head.field(bytes, b"origin").unwrap_or_default(),
        };
        answer.field(b"Access-Control-Allow-Origin", origin)?;
        if self.given.credentials {
            answer.field(b"Access-Control-Allow-Credentials", b"true")?;
        }
        if !self.given.expose.is_empty() {
            answer.field(b"Access-Control-Expose-Headers", self.given.expose.as_bytes())?;
        }
        if head.method == Method::Options {
            answer.field(b"Access-Control-Allow-Headers", self.given.headers.as_bytes())?;
            answer.field(b"Access-Control-Allow-Methods", self.given.methods.as_bytes())?;
            if self.given.max_age > 0 {
                answer.field(b"Access-Control-Max-Age", self.max_age.as_bytes())?;
            }
            if self.given.private_network
                && head.field(bytes, b"access-control-request-private-network") == Some(b"true")
            {
                answer.field(b"Access-Control-Allow-Private-Network", b"true")?;
            }
        }
        Ok(())
    }
}

impl Engine {
    /// The exchange of a request whose path a native route has.
    pub fn native_exchange(&self, py: Python<'_>, exchange: Exchange, head: &Head, bytes: &[u8]) -> Exchange {
        let policy = self.cors.borrow().clone();
        let cors = policy.map_or(Cors::Off, |policy| policy.judge(py, head, bytes));
        Exchange { native: true, cors, ..exchange }
    }

    /// Adds the fields of CORS to an answer.
    pub fn cors_fields(&self, cors: Cors, line: Line<'_>, answer: &mut Rendering<'_>) -> Result<(), BadField> {
        if cors == Cors::Off {
            return Ok(());
        }
        self.cors.borrow().as_ref().map_or(Ok(()), |policy| policy.write(cors, line, answer))
    }

    /// Answers a browser that asks before it sends a request (a preflight); false when this is none.
    pub fn preflight(&self, py: Python<'_>, token: Token, exchange: Exchange, head: &Head, bytes: &[u8]) -> bool {
        if exchange.cors == Cors::Off
            || head.method != Method::Options
            || head.field(bytes, b"access-control-request-method").is_none()
        {
            return false;
        }
        let bodyless = matches!(head.framing, Framing::None | Framing::Length(0));
        let exchange = Exchange { keep_alive: exchange.keep_alive && bodyless, ..exchange };
        let answer = self.with(token, |conn| {
            let before = conn.output.pending();
            let sent = self.render(conn, exchange, (head, bytes), 200, BodyLength::Known(0), |_| Ok(()));
            self.mark(conn, token);
            let keep_alive = sent.is_ok_and(|sent| sent.keep_alive);
            Answered { status: 200, sent: (conn.output.pending() - before) as u64, keep_alive }
        });
        if let Some(answer) = answer {
            self.answered(py, token, exchange, (head, bytes), answer);
        }
        true
    }
}
