//! Sockets and readiness: what differs between operating systems lives here.

pub mod listener;
pub mod poll;
