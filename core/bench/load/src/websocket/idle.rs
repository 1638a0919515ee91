//! Sockets that do nothing but answer pings, until standard input ends.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::{Events, Poll};

use crate::args::Args;

pub fn run(args: &Args) -> Result<String, String> {
    let mut poll = Poll::new().map_err(|error| error.to_string())?;
    let mut sockets = super::open(args, &poll, 1000)?;
    println!("open");
    let over = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&over);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        flag.store(true, Ordering::Relaxed);
    });
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; 4096];
    let mut broken = 0;
    while !over.load(Ordering::Relaxed) {
        poll.poll(&mut events, Some(Duration::from_millis(50))).map_err(|error| error.to_string())?;
        for event in &events {
            broken += usize::from(sockets[event.token().0].receive(b"", &mut scratch).is_err());
        }
    }
    Ok(format!(r#"{{"sockets":{},"broken":{broken}}}"#, sockets.len()))
}
