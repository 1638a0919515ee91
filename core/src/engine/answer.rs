//! Whole answers: the engine's own, native handlers', and those given by `Request.respond`.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

use super::Engine;
use super::conn::{Conn, Exchange};
use super::cors::Cors;
use super::fields::Fields;
use super::finish::Answered;
use super::remote::Command;
use super::shared::Shared;
use super::slab::Token;
use crate::http::head::Line;
use crate::http::response::{BadField, BodyLength, Rendering, Sent};
use crate::py::render::Rendered;
use crate::py::waiter;

/// An answer of the engine's own: text, or problem details (RFC 9457) for an error where a native route was meant.
#[derive(Clone, Copy)]
pub struct Plain<'a> {
    pub status: u16,
    pub body: &'a [u8],
    pub allow: Option<&'a str>,
    pub retry_after: bool,
    /// Must not be kept by a cache (RFC 9111 5.2.2.5).
    pub no_store: bool,
}

impl<'a> Plain<'a> {
    pub fn new(status: u16, body: &'a [u8]) -> Self {
        Self { status, body, allow: None, retry_after: false, no_store: false }
    }
}

/// An error as problem details; its text is the detail where it says more than the title.
fn problem(plain: &Plain<'_>) -> Vec<u8> {
    let title = crate::http::status::phrase(plain.status);
    let text = plain.body.trim_ascii_end();
    let mut body = format!(r#"{{"type":"about:blank","title":"{title}","status":{}"#, plain.status).into_bytes();
    if !text.is_empty() && text != title.as_bytes() {
        // The engine's own words: there is nothing to escape in them.
        body.extend_from_slice(br#","detail":""#);
        body.extend_from_slice(text);
        body.push(b'"');
    }
    body.push(b'}');
    body
}

impl Engine {
    /// Appends a head, by `fields`, to the connection's output. `line` is the request's.
    pub fn render(
        &self,
        conn: &mut Conn,
        exchange: Exchange,
        line: Line<'_>,
        status: u16,
        length: BodyLength,
        fields: impl FnOnce(&mut Rendering<'_>) -> Result<(), BadField>,
    ) -> Result<Sent, BadField> {
        let keep_alive = exchange.keep_alive && !self.draining.get() && !conn.closing && !conn.receiving();
        conn.output.append(&mut self.spare.borrow_mut(), |out| {
            let mut rendering = Rendering::begin(out, exchange.minor, status).to_head(exchange.head_only);
            fields(&mut rendering)?;
            self.cors_fields(exchange.cors, line, &mut rendering)?;
            rendering.end(length, keep_alive, &self.clock.date())
        })
    }

    /// Answers a request that is still on the stack.
    pub fn plain(&self, py: Python<'_>, token: Token, exchange: Exchange, line: Line<'_>, plain: &Plain<'_>) {
        let answer = self.with(token, |conn| self.render_plain(conn, token, exchange, line, plain));
        if let Some(answer) = answer {
            self.answered(py, token, exchange, line, answer);
        }
    }

    fn render_plain(
        &self,
        conn: &mut Conn,
        token: Token,
        exchange: Exchange,
        line: Line<'_>,
        plain: &Plain<'_>,
    ) -> Answered {
        let before = conn.output.pending();
        let problem = (exchange.native && plain.status >= 400).then(|| problem(plain));
        let body = problem.as_deref().unwrap_or(plain.body);
        let sent = self.render(conn, exchange, line, plain.status, BodyLength::Known(body.len() as u64), |head| {
            if let Some(allow) = plain.allow {
                head.field(b"Allow", allow.as_bytes())?;
            }
            if plain.retry_after {
                head.field(b"Retry-After", b"1")?;
            }
            if plain.no_store {
                head.field(b"Cache-Control", b"no-store")?;
            }
            if plain.status == 426 {
                head.upgrade()?;
            }
            match (body.is_empty(), &problem) {
                (true, _) => Ok(()),
                (_, Some(_)) => head.field(b"Content-Type", b"application/problem+json"),
                (_, None) => head.field(b"Content-Type", b"text/plain; charset=utf-8"),
            }
        });
        let keep_alive = self.body(conn, token, sent, |conn, spare| conn.output.bytes(spare, body));
        Answered { status: plain.status, sent: (conn.output.pending() - before) as u64, keep_alive }
    }

    /// Appends the body if one is to follow, and says whether the connection goes on.
    fn body(
        &self,
        conn: &mut Conn,
        token: Token,
        sent: Result<Sent, BadField>,
        append: impl FnOnce(&mut Conn, &mut Vec<Vec<u8>>),
    ) -> bool {
        self.mark(conn, token);
        match sent {
            Ok(sent) => {
                if !matches!(sent.body, crate::http::response::Body::None) {
                    append(conn, &mut self.spare.borrow_mut());
                }
                sent.keep_alive
            }
            Err(_) => false,
        }
    }

    /// Answers a request that is still on the stack with what its native handler returned.
    pub fn rendered(&self, py: Python<'_>, token: Token, exchange: Exchange, line: Line<'_>, rendered: &Rendered) {
        let (head, bytes) = line;
        let squeezed = self.squeeze_native(py, exchange, rendered, |name| head.values(bytes, name));
        let answer = self.with(token, |conn| self.render_native(py, conn, token, (exchange, line), rendered, squeezed));
        if let Some(answer) = answer {
            self.answered(py, token, exchange, line, answer);
        }
    }

    fn render_native(
        &self,
        py: Python<'_>,
        conn: &mut Conn,
        token: Token,
        (exchange, line): (Exchange, Line<'_>),
        rendered: &Rendered,
        squeezed: super::squeeze::Squeezed,
    ) -> Answered {
        let before = conn.output.pending();
        let length = squeezed.body.as_ref().map_or_else(|| rendered.body.as_bytes(py).len(), Vec::len);
        let sent = self.render(conn, exchange, line, rendered.status, BodyLength::Known(length as u64), |head| {
            if !rendered.content_type.is_empty() {
                head.field(b"Content-Type", rendered.content_type)?;
            }
            if let Some(coding) = squeezed.coding {
                head.field(b"Content-Encoding", coding.name().as_bytes())?;
            }
            if squeezed.vary { head.field(b"Vary", b"Accept-Encoding") } else { Ok(()) }
        });
        let keep_alive = self.body(conn, token, sent, |conn, spare| match &squeezed.body {
            Some(body) => conn.output.bytes(spare, body),
            None => conn.output.python(spare, py, &rendered.body),
        });
        Answered { status: rendered.status, sent: (conn.output.pending() - before) as u64, keep_alive }
    }

    /// Runs `write` when the connection still waits for this request's answer.
    pub fn for_answer<R>(&self, shared: &Arc<Shared>, write: impl FnOnce(&mut Conn, Token) -> R) -> Option<R> {
        self.with(shared.token, |conn| {
            let current = conn.current.shared.as_ref().is_some_and(|current| Arc::ptr_eq(current, shared));
            current.then(|| write(conn, shared.token))
        })
        .flatten()
    }

    /// The exchange of a request that these fields are to answer; None when it is answered no more. Fields of CORS that
    /// the application has itself are left as they are.
    pub fn answering(&self, shared: &Arc<Shared>, fields: &Fields) -> Option<Exchange> {
        let exchange = self.for_answer(shared, |conn, _| conn.current.exchange)?;
        if exchange.cors != Cors::Off && fields.get(b"access-control-allow-origin").is_some() {
            return Some(Exchange { cors: Cors::Vary, ..exchange });
        }
        Some(exchange)
    }

    pub fn respond_plain(&self, py: Python<'_>, shared: &Arc<Shared>, plain: &Plain<'_>) {
        let answer = self.for_answer(shared, |conn, token| {
            let exchange = conn.current.exchange;
            (exchange, self.render_plain(conn, token, exchange, shared.line(), plain))
        });
        if let Some((exchange, answer)) = answer {
            self.answered(py, shared.token, exchange, shared.line(), answer);
        }
    }

    pub fn respond_rendered(&self, py: Python<'_>, shared: &Arc<Shared>, rendered: &Rendered) {
        let Some(exchange) = self.for_answer(shared, |conn, _| conn.current.exchange) else { return };
        let squeezed = self.squeeze_native(py, exchange, rendered, |name| shared.values(name));
        let line = shared.line();
        let answer = self.for_answer(shared, |conn, token| {
            self.render_native(py, conn, token, (exchange, line), rendered, squeezed)
        });
        if let Some(answer) = answer {
            self.answered(py, shared.token, exchange, line, answer);
        }
    }

    fn respond(&self, py: Python<'_>, shared: &Arc<Shared>, status: u16, fields: &Fields, body: &Py<PyBytes>) {
        let Some(exchange) = self.answering(shared, fields) else { return };
        let squeezed = self.squeeze(py, shared, exchange, status, fields, Some(body));
        let line = shared.line();
        let answer = self.for_answer(shared, |conn, token| {
            let before = conn.output.pending();
            let length = squeezed.body.as_ref().map_or_else(|| body.as_bytes(py).len(), Vec::len);
            let length = BodyLength::Known(length as u64);
            let sent = self.render(conn, exchange, line, status, length, |head| squeezed.fields(fields, head));
            let failed = sent.err();
            let keep_alive = self.body(conn, token, sent, |conn, spare| match &squeezed.body {
                Some(body) => conn.output.bytes(spare, body),
                None => conn.output.python(spare, py, body),
            });
            (Answered { status, sent: (conn.output.pending() - before) as u64, keep_alive }, failed)
        });
        match answer {
            None => {}
            Some((answer, None)) => self.answered(py, shared.token, exchange, line, answer),
            Some((_, Some(error))) => {
                self.parts.warn(py, &format!("an answer could not be sent: {error}"));
                self.respond_plain(py, shared, &Plain::new(500, b"Internal Server Error\n"));
            }
        }
    }

    /// What a thread has asked for, or a caller on this thread.
    pub fn obey(&self, py: Python<'_>, command: Command) {
        match command {
            Command::Respond { shared, status, fields, body } => self.respond(py, &shared, status, &fields, &body),
            Command::Start { shared, status, fields } => self.start(py, &shared, status, &fields),
            Command::Write { shared, data } => self.write(py, &shared, &data),
            Command::File { shared, status, fields, part } => self.send_file(py, &shared, status, &fields, part),
            Command::End { shared } => self.end(py, &shared),
            Command::Dropped { shared } => self.fail(py, shared.token, &shared),
            Command::Abort { shared } => self.cut(shared.token, &shared),
            Command::OnDisconnect { shared, callback } => self.on_disconnect(py, &shared, callback),
            Command::Busy { shared } => self.busy(py, &shared),
            Command::Native { shared, outcome } => self.ended(py, &shared, outcome),
            Command::Settle { waiter, result } => waiter::settle(waiter.bind(py), result),
        }
    }
}
