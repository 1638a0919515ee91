//! Static files, answered without Python.

use pyo3::prelude::*;
use rustix::fd::OwnedFd;
use std::sync::Arc;

use super::Engine;
use super::conn::Exchange;
use super::finish::Answered;
use super::slab::Token;
use crate::files::{Conditions, Found};
use crate::http::head::Head;
use crate::http::status;

enum Body {
    None,
    Memory(Arc<[u8]>, usize, usize),
    File(OwnedFd, u64, u64),
}

impl Engine {
    /// Answers a request for a static file; false when its path is none's.
    pub fn static_file(&self, py: Python<'_>, token: Token, exchange: Exchange, head: &Head, bytes: &[u8]) -> bool {
        if self.files.borrow().is_empty() {
            return false;
        }
        let path = crate::http::target::percent_decode(head.path.of(bytes));
        let mut all = self.files.borrow_mut();
        let Some((slot, files)) = all.iter_mut().find(|(_, files)| files.covers(&path)) else { return false };
        let exchange = Exchange { route: *slot, ..exchange };
        let mut conditions = Conditions::default();
        for (name, value) in &head.fields {
            conditions.note(name.of(bytes), value.of(bytes));
        }
        let method = head.method_span.of(bytes);
        let (status, fields, body): (u16, &[u8], Body) =
            match files.lookup(method, &path, &conditions, self.clock.now()) {
                Found::NotFound => (404, b"Content-Length: 0\r\n", Body::None),
                Found::MethodNotAllowed { fields } => (405, fields, Body::None),
                Found::NotModified { fields } => (304, fields, Body::None),
                Found::Unsatisfiable { fields } => (416, fields, Body::None),
                Found::Memory { status, fields, body, start, end } => {
                    (status, fields, Body::Memory(Arc::clone(body), start, end))
                }
                Found::Large { status, fields, file, offset, len } => match file.try_clone() {
                    Ok(file) => (status, fields, Body::File(OwnedFd::from(file), offset, len)),
                    Err(_) => (503, b"Retry-After: 1\r\nContent-Length: 0\r\n", Body::None),
                },
            };
        let answer = self.with(token, |conn| {
            let before = conn.output.pending();
            let keep_alive = exchange.keep_alive && !self.draining.get() && !conn.closing;
            conn.output.append(&mut self.spare.borrow_mut(), |out| {
                self.static_head(out, exchange, status, fields, keep_alive)
            });
            let mut file_bytes = 0;
            let sends_body = !exchange.head_only;
            if sends_body {
                let mut spare = self.spare.borrow_mut();
                match body {
                    Body::None => {}
                    Body::Memory(body, start, end) if start == 0 && end == body.len() => {
                        conn.output.shared(&mut spare, &body)
                    }
                    Body::Memory(body, start, end) => {
                        conn.output.bytes(&mut spare, body.get(start..end).unwrap_or_default());
                    }
                    Body::File(fd, offset, len) => {
                        file_bytes = len;
                        conn.output.file(fd, offset, len);
                    }
                }
            }
            self.mark(conn, token);
            Answered { status, sent: (conn.output.pending() - before) as u64 + file_bytes, keep_alive }
        });
        drop(all);
        if let Some(answer) = answer {
            self.answered(py, token, exchange, (head, bytes), answer);
        }
        true
    }

    /// `fields` are whole lines, made once for each file.
    fn static_head(&self, out: &mut Vec<u8>, exchange: Exchange, code: u16, fields: &[u8], keep_alive: bool) {
        out.extend_from_slice(status::line(code).unwrap_or(b"HTTP/1.1 500 Internal Server Error\r\n"));
        out.extend_from_slice(fields);
        out.extend_from_slice(b"Date: ");
        out.extend_from_slice(&self.clock.date());
        out.extend_from_slice(match (keep_alive, exchange.minor) {
            (false, _) => b"\r\nConnection: close\r\n\r\n",
            (true, 0) => b"\r\nConnection: keep-alive\r\n\r\n",
            (true, _) => b"\r\n\r\n",
        });
    }
}
