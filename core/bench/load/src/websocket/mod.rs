//! WebSocket clients: the handshake and frames that all kinds of load share.
pub mod broadcast;
pub mod echo;
pub mod idle;
mod socket;

use mio::{Interest, Poll, Token};

use crate::args::Args;
use socket::Socket;

/// Opens `--connections` sockets, each registered under its index.
fn open(args: &Args, poll: &Poll, default: usize) -> Result<Vec<Socket>, String> {
    let (address, path) = (args.address()?, args.text("path")?);
    let count = args.number("connections", default)?;
    let mut sockets = Vec::with_capacity(count);
    for token in 0..count {
        let opened = Socket::open(address, path);
        let mut socket = opened.map_err(|error| format!("socket {token} of {count}: {error}"))?;
        let register = poll.registry().register(&mut socket.stream, Token(token), Interest::READABLE);
        register.map_err(|error| error.to_string())?;
        sockets.push(socket);
    }
    Ok(sockets)
}

/// The text that is sent: `--bytes` long.
fn payload(args: &Args) -> Result<Vec<u8>, String> {
    Ok(vec![b'x'; args.number("bytes", 64)?])
}
