//! Each socket sends a text and waits until it comes back.
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::socket::{Socket, text};
use crate::args::Args;
use crate::histogram::Histogram;
use crate::meter::Meter;

pub fn run(args: &Args) -> Result<String, String> {
    let mut poll = Poll::new().map_err(|error| error.to_string())?;
    let mut sockets = super::open(args, &poll, 50)?;
    let payload = super::payload(args)?;
    let frame = text(&payload);
    for socket in &mut sockets {
        socket.send(&frame).map_err(|error| error.to_string())?;
    }
    let mut meter = Meter::new(args)?;
    let mut latencies = Histogram::new();
    echo(&mut poll, &mut sockets, &payload, &frame, &mut latencies, args.duration("warm", 0.3)?)?;
    latencies = Histogram::new();
    meter.start()?;
    echo(&mut poll, &mut sockets, &payload, &frame, &mut latencies, args.duration("seconds", 2.0)?)?;
    let measured = meter.stop()?;
    Ok(format!(r#"{{{measured},"wrong":0,"broken":0,"latency":[{}]}}"#, latencies.json()))
}

fn echo(
    poll: &mut Poll,
    sockets: &mut [Socket],
    payload: &[u8],
    frame: &[u8],
    latencies: &mut Histogram,
    length: Duration,
) -> Result<(), String> {
    let end = Instant::now() + length;
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; 64 * 1024];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        poll.poll(&mut events, Some(left)).map_err(|error| error.to_string())?;
        let now = Instant::now();
        for event in &events {
            let socket = &mut sockets[event.token().0];
            let messages = socket.receive(payload, &mut scratch).map_err(|error| error.to_string())?;
            if messages > 0 {
                latencies.record(now.saturating_duration_since(socket.sent));
                socket.send(frame).map_err(|error| error.to_string())?;
            }
        }
        if now >= end {
            return Ok(());
        }
    }
}
