//! Parser and framing as the engine runs them over a connection, without one; for tests.

use super::{Decoder, Head, Limits, Refusal};

/// One request that was read whole.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Replayed {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub path: Vec<u8>,
    pub query: Option<Vec<u8>>,
    pub host: Vec<u8>,
    pub minor: u8,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
    pub keep_alive: bool,
    pub expect_continue: bool,
    pub websocket: bool,
}

/// What is left of the bytes after the requests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Nothing, or bytes behind a request that closes or upgrades its connection.
    Complete,
    /// The start of a request.
    Incomplete,
    Refused(Refusal),
}

/// The requests in `data` that a connection would serve.
pub fn replay(data: &[u8], limits: &Limits) -> (Vec<Replayed>, Ending) {
    let mut replay = Replay::new(*limits);
    replay.push(data);
    let ending = replay.ending();
    (replay.requests, ending)
}

/// A connection's reading side.
pub struct Replay {
    pub requests: Vec<Replayed>,
    limits: Limits,
    buffer: Vec<u8>,
    head: Head,
    seen: usize,
    body: Option<(Decoder, Replayed)>,
    ended: Option<Ending>,
}

impl Replay {
    pub fn new(limits: Limits) -> Self {
        let (requests, buffer) = (Vec::new(), Vec::new());
        Self { requests, limits, buffer, head: Head::default(), seen: 0, body: None, ended: None }
    }

    /// Takes bytes that have arrived.
    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
        while self.ended.is_none() {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => break,
                Err(refusal) => self.ended = Some(Ending::Refused(refusal)),
            }
        }
    }

    pub fn ending(&self) -> Ending {
        match &self.ended {
            Some(ending) => ending.clone(),
            None if self.body.is_none() && self.buffer.is_empty() => Ending::Complete,
            None => Ending::Incomplete,
        }
    }

    /// One head, or what there is of one body; false when more bytes must come first.
    fn advance(&mut self) -> Result<bool, Refusal> {
        let Some((decoder, request)) = &mut self.body else {
            if self.buffer.is_empty() || !self.head.parse(&self.buffer, &mut self.seen, &self.limits)? {
                return Ok(false);
            }
            self.body = Some((Decoder::new(&self.head.framing), copied(&self.head, &self.buffer)));
            self.buffer.drain(..self.head.len);
            return Ok(true);
        };
        let decoded = decoder.decode(&self.buffer, &mut |data| request.body.extend_from_slice(data))?;
        self.buffer.drain(..decoded.consumed);
        if decoded.done
            && let Some((_, request)) = self.body.take()
        {
            if request.websocket || !request.keep_alive {
                self.ended = Some(Ending::Complete);
            }
            self.requests.push(request);
        }
        Ok(decoded.done)
    }
}

fn copied(head: &Head, buf: &[u8]) -> Replayed {
    Replayed {
        method: head.method_span.of(buf).to_vec(),
        target: head.target.of(buf).to_vec(),
        path: head.path.of(buf).to_vec(),
        query: head.has_query.then(|| head.query.of(buf).to_vec()),
        host: head.host.of(buf).to_vec(),
        minor: head.minor,
        headers: head.fields.iter().map(|(name, value)| (name.of(buf).to_vec(), value.of(buf).to_vec())).collect(),
        body: Vec::new(),
        keep_alive: head.keep_alive,
        expect_continue: head.expect_continue,
        websocket: head.websocket,
    }
}
