//! Compression of answers, by the rules of src/compress.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::rc::Rc;

use super::Engine;
use super::conn::Exchange;
use super::fields::Fields;
use super::shared::Shared;
use crate::compress::{Answer, Asked, Coding, Settings, Stream, negotiate, plan, vary, weak};
use crate::http::response::{BadField, Rendering};
use crate::py::render::Rendered;

/// What has become of an answer's body, and which fields say so.
#[derive(Default)]
pub struct Squeezed {
    /// The compressed body.
    pub body: Option<Vec<u8>>,
    pub coding: Option<Coding>,
    /// What compresses a body that comes in parts.
    pub stream: Option<Box<Stream>>,
    pub vary: bool,
    weaken: bool,
}

impl Squeezed {
    /// Writes the application's fields, changed where the compression asks for it.
    pub fn fields(&self, fields: &Fields, head: &mut Rendering<'_>) -> Result<(), BadField> {
        if !self.vary {
            return fields.iter().try_for_each(|(name, value)| head.field(name, value));
        }
        let mut own = Vec::new();
        for (name, value) in fields.iter() {
            if name.eq_ignore_ascii_case(b"vary") {
                own.extend_from_slice(if own.is_empty() { b"" } else { b", " });
                own.extend_from_slice(value);
            } else if self.weaken && name.eq_ignore_ascii_case(b"etag") {
                head.field(name, &weak(value))?;
            } else if self.coding.is_some() && name.eq_ignore_ascii_case(b"content-length") {
                // It was that of the body as it was.
            } else {
                head.field(name, value)?;
            }
        }
        head.field(b"Vary", &vary(&own).unwrap_or(own))?;
        self.coding.map_or(Ok(()), |coding| head.field(b"Content-Encoding", coding.name().as_bytes()))
    }
}

/// Codings for a route that wants some where the server has none.
const DEFAULT: &str = "zstd,br,gzip";

impl Engine {
    /// What an answer may be compressed with.
    fn codings(&self, exchange: Exchange) -> Option<Rc<Settings>> {
        match usize::from(exchange.codings).checked_sub(1) {
            None => self.compression.clone(),
            Some(place) => self.own_codings.borrow().get(place).and_then(|(_, settings)| settings.clone()),
        }
    }

    /// `Exchange::codings` for what a route says: "" are the server's, "on" too or some where that has none, "off" or a
    /// list as in the option `compression`.
    ///
    /// # Errors
    /// ValueError for what is none of these, and when routes say too many different things.
    pub fn name_codings(&self, text: &str) -> PyResult<u8> {
        if text.is_empty() || (text == "on" && self.compression.is_some()) {
            return Ok(0);
        }
        let text = if text == "on" { DEFAULT } else { text };
        let mut own = self.own_codings.borrow_mut();
        let place = match own.iter().position(|(known, _)| known == text) {
            Some(place) => place,
            None => {
                let parsed = Settings::parse(text, self.options.compression_min).map_err(PyValueError::new_err)?;
                own.push((text.to_owned(), parsed.map(Rc::new)));
                own.len() - 1
            }
        };
        u8::try_from(place + 1).map_err(|_| PyValueError::new_err("routes have more than 255 kinds of compression"))
    }

    pub fn squeeze(
        &self,
        py: Python<'_>,
        shared: &Shared,
        exchange: Exchange,
        status: u16,
        fields: &Fields,
        body: Option<&Py<PyBytes>>,
    ) -> Squeezed {
        let Some(settings) = self.codings(exchange) else { return Squeezed::default() };
        let asked = Asked {
            coding: negotiate(&settings, shared.values(b"accept-encoding")),
            credentials: shared.field(b"cookie").is_some() || shared.field(b"authorization").is_some(),
        };
        let cache_control = fields.joined(b"cache-control");
        let answer = Answer {
            status,
            content_type: fields.get(b"content-type").unwrap_or_default(),
            cache_control: &cache_control,
            encoded: fields.get(b"content-encoding").is_some(),
            sets_cookie: fields.get(b"set-cookie").is_some(),
            length: body.map(|body| body.as_bytes(py).len()),
        };
        self.squeezed(plan(&settings, &asked, &answer), body.map(|body| body.as_bytes(py)))
    }

    /// The same for a native handler's answer, whose fields are known.
    pub fn squeeze_native<'a, I: Iterator<Item = &'a [u8]>>(
        &self,
        py: Python<'_>,
        exchange: Exchange,
        rendered: &Rendered,
        values: impl Fn(&'static [u8]) -> I,
    ) -> Squeezed {
        let Some(settings) = self.codings(exchange) else { return Squeezed::default() };
        let body = rendered.body.as_bytes(py);
        let answer = Answer {
            status: rendered.status,
            content_type: rendered.content_type,
            length: Some(body.len()),
            ..Answer::default()
        };
        // First without what was asked: most answers are too short, and then nothing need be searched.
        if !plan(&settings, &Asked::default(), &answer).vary {
            return Squeezed::default();
        }
        let asked = Asked {
            coding: negotiate(&settings, values(b"accept-encoding")),
            credentials: values(b"cookie").next().is_some() || values(b"authorization").next().is_some(),
        };
        self.squeezed(plan(&settings, &asked, &answer), Some(body))
    }

    fn squeezed(&self, plan: crate::compress::Plan, body: Option<&[u8]>) -> Squeezed {
        if let (Some((coding, level)), None) = (plan.coding, body) {
            let stream = Stream::new(coding, level).ok().map(Box::new);
            let coding = stream.is_some().then_some(coding);
            return Squeezed { coding, stream, vary: plan.vary, weaken: plan.weaken, ..Squeezed::default() };
        }
        let Some(((coding, level), body)) = plan.coding.zip(body) else {
            // Without a coding, a tag is made weak only in a 304.
            return Squeezed { vary: plan.vary, weaken: plan.weaken && plan.coding.is_none(), ..Squeezed::default() };
        };
        match self.encoders.borrow_mut().compress(coding, level, body) {
            Some(smaller) => Squeezed {
                body: Some(smaller),
                coding: Some(coding),
                stream: None,
                vary: plan.vary,
                weaken: plan.weaken,
            },
            None => Squeezed { vary: plan.vary, ..Squeezed::default() },
        }
    }
}
