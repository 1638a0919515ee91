//! Answers that come in parts, and files.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Engine;
use super::answer::Plain;
use super::conn::{Answer, Conn, Current};
use super::fields::Fields;
use super::finish::Answered;
use super::remote::Part;
use super::shared::Shared;
use super::slab::Token;
use crate::http::response::{Body, BodyLength, Rendering, Sent, chunk, last_chunk};

impl Engine {
    pub fn start(&self, py: Python<'_>, shared: &Arc<Shared>, status: u16, fields: &Fields) {
        let Some(exchange) = self.answering(shared, fields) else { return };
        let mut squeezed = self.squeeze(py, shared, exchange, status, fields, None);
        let line = shared.line();
        let failed = self.for_answer(shared, |conn, token| {
            let before = conn.output.pending();
            let own = |head: &mut Rendering<'_>| squeezed.fields(fields, head);
            let sent = self.render(conn, exchange, line, status, BodyLength::Chunked, own);
            self.mark(conn, token);
            match sent {
                Ok(sent) => {
                    conn.current.encoder = squeezed.stream.take();
                    conn.current.sent += (conn.output.pending() - before) as u64;
                    conn.current.status = status;
                    conn.current.exchange.first = self.clock.micros();
                    conn.current.exchange.keep_alive = sent.keep_alive;
                    conn.current.answer = match sent.body {
                        Body::None => Answer::NoBody,
                        Body::Length(length) => Answer::Length(length),
                        Body::Chunked => Answer::Chunked,
                        Body::UntilClose => Answer::UntilClose,
                    };
                    None
                }
                Err(error) => Some(error),
            }
        });
        if let Some(Some(error)) = failed {
            self.parts.warn(py, &format!("an answer could not be sent: {error}"));
            self.respond_plain(py, shared, &Plain::new(500, b"Internal Server Error\n"));
        }
    }

    pub fn write(&self, py: Python<'_>, shared: &Arc<Shared>, data: &Py<PyBytes>) {
        let bytes = data.as_bytes(py);
        let too_much = self.for_answer(shared, |conn, token| {
            let before = conn.output.pending();
            let mut spare = self.spare.borrow_mut();
            let mut coded = Vec::new();
            let bytes = match &mut conn.current.encoder {
                None => bytes,
                Some(encoder) => {
                    if encoder.write(bytes, &mut coded).is_err() {
                        return true;
                    }
                    &coded
                }
            };
            match conn.current.answer {
                Answer::None | Answer::NoBody => {}
                Answer::Chunked if bytes.is_empty() => {}
                Answer::Chunked => conn.output.append(&mut spare, |out| chunk(out, bytes)),
                Answer::UntilClose if conn.current.encoder.is_some() => conn.output.bytes(&mut spare, bytes),
                Answer::UntilClose => conn.output.python(&mut spare, py, data),
                Answer::Length(left) => match left.checked_sub(bytes.len() as u64) {
                    Some(left) => {
                        conn.current.answer = Answer::Length(left);
                        conn.output.python(&mut spare, py, data);
                    }
                    None => return true,
                },
            }
            drop(spare);
            self.mark(conn, token);
            conn.current.sent += (conn.output.pending() - before) as u64;
            shared.pending.store(conn.output.pending(), Ordering::Release);
            false
        });
        match too_much {
            Some(true) => {
                self.parts.warn(
                    py,
                    "a body is longer than its Content-Length, or cannot be compressed: the connection is cut",
                );
                self.cut(shared.token, shared);
            }
            Some(false) => {}
            None => shared.set_pending(0, shared.high_water),
        }
    }

    pub fn end(&self, py: Python<'_>, shared: &Arc<Shared>) {
        let ended = self.for_answer(shared, |conn, token| {
            let short = matches!(conn.current.answer, Answer::Length(left) if left > 0);
            let before = conn.output.pending();
            let mut rest = Vec::new();
            if let Some(encoder) = conn.current.encoder.take() {
                let _ = encoder.end(&mut rest); // into memory: it cannot fail
                let mut spare = self.spare.borrow_mut();
                match conn.current.answer {
                    Answer::Chunked => conn.output.append(&mut spare, |out| chunk(out, &rest)),
                    Answer::UntilClose => conn.output.bytes(&mut spare, &rest),
                    Answer::None | Answer::NoBody | Answer::Length(_) => {}
                }
            }
            if conn.current.answer == Answer::Chunked {
                conn.output.append(&mut self.spare.borrow_mut(), last_chunk);
            }
            conn.current.sent += (conn.output.pending() - before) as u64;
            self.mark(conn, token);
            let Current { exchange, status, sent, .. } = conn.current;
            (short, exchange, Answered { status, sent, keep_alive: exchange.keep_alive })
        });
        match ended {
            Some((true, ..)) => {
                self.parts.warn(py, "a body is shorter than its Content-Length: the connection is cut");
                self.cut(shared.token, shared);
            }
            Some((false, exchange, answer)) => {
                self.answered(py, shared.token, exchange, shared.line(), answer);
            }
            None => {}
        }
    }

    /// Ends the connection at the end of the turn: the client must see that its answer is not whole.
    pub fn cut(&self, token: Token, shared: &Arc<Shared>) {
        self.for_answer(shared, |conn, _| {
            conn.cut = true;
            self.mark(conn, token);
        });
    }

    pub fn send_file(&self, py: Python<'_>, shared: &Arc<Shared>, status: u16, fields: &Fields, part: Part) {
        let Part { fd, offset, count } = part;
        let Some(exchange) = self.answering(shared, fields) else { return };
        let line = shared.line();
        let answer = self.for_answer(shared, |conn: &mut Conn, token| {
            let before = conn.output.pending();
            let sent = self.render(conn, exchange, line, status, BodyLength::Known(count), |head| {
                fields.iter().try_for_each(|(name, value)| head.field(name, value))
            });
            self.mark(conn, token);
            let head = (conn.output.pending() - before) as u64;
            sent.map(|Sent { body, keep_alive }| {
                if matches!(body, Body::None) {
                    return Answered { status, sent: head, keep_alive };
                }
                conn.output.file(fd, offset, count);
                Answered { status, sent: head + count, keep_alive }
            })
        });
        match answer {
            Some(Ok(answer)) => self.answered(py, shared.token, exchange, line, answer),
            Some(Err(error)) => {
                self.parts.warn(py, &format!("an answer could not be sent: {error}"));
                self.respond_plain(py, shared, &Plain::new(500, b"Internal Server Error\n"));
            }
            None => {}
        }
    }
}
