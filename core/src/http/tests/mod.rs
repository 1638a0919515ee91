//! Bytes in, bytes asserted.

mod bodies;
mod fuzz;
mod heads;
mod responses;
mod targets;

use super::replay::{Ending, Replayed, replay};
use super::{Limits, Refusal};

const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

/// The only request in `data`.
fn one(data: impl AsRef<[u8]>) -> Replayed {
    let data = data.as_ref();
    match replay(data, &Limits::default()) {
        (requests, Ending::Complete) if requests.len() == 1 => requests.into_iter().next().unwrap(),
        other => panic!("{}: {other:?}", data.escape_ascii()),
    }
}

/// The refusal that `data` meets before any request of it is served.
fn refused(data: impl AsRef<[u8]>) -> Refusal {
    let data = data.as_ref();
    match replay(data, &Limits::default()) {
        (requests, Ending::Refused(refusal)) if requests.is_empty() => refusal,
        other => panic!("{}: {other:?}", data.escape_ascii()),
    }
}

/// A request whose fields, after Host, are these lines.
fn with(fields: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}
