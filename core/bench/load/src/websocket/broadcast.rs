//! The first socket sends `--depth` texts, the server sends each to all; when all have them, the next ones follow.
//! What is counted are deliveries; the latency is that of the last delivery of such a round.
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::socket::{Socket, text};
use crate::args::Args;
use crate::histogram::Histogram;
use crate::meter::Meter;

const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks. To be woken instead would cost the server, once for each delivery, what no remote client costs it.
const PAUSE: Duration = Duration::from_micros(200);

pub fn run(args: &Args) -> Result<String, String> {
    let mut poll = Poll::new().map_err(|error| error.to_string())?;
    let mut sockets = super::open(args, &poll, 1000)?;
    let payload = super::payload(args)?;
    let depth = args.number("depth", 1)?;
    let mut meter = Meter::new(args)?;
    rounds(&mut poll, &mut sockets, &payload, depth, args.duration("warm", 0.3)?)?;
    meter.start()?;
    let (deliveries, latencies) = rounds(&mut poll, &mut sockets, &payload, depth, args.duration("seconds", 2.0)?)?;
    let measured = meter.stop()?;
    Ok(format!(r#"{{{measured},"wrong":0,"broken":0,"deliveries":{deliveries},"latency":[{}]}}"#, latencies.json()))
}

fn rounds(
    poll: &mut Poll,
    sockets: &mut [Socket],
    payload: &[u8],
    depth: usize,
    length: Duration,
) -> Result<(usize, Histogram), String> {
    let end = Instant::now() + length;
    let frames = text(payload).repeat(depth);
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; 64 * 1024];
    let mut latencies = Histogram::new();
    let mut deliveries = 0;
    while Instant::now() < end {
        sockets[0].send(&frames).map_err(|error| error.to_string())?;
        let mut missing = sockets.len() * depth;
        let late = Instant::now() + PATIENCE;
        while missing > 0 {
            poll.poll(&mut events, Some(Duration::ZERO)).map_err(|error| error.to_string())?;
            if events.is_empty() {
                if Instant::now() > late {
                    return Err(format!("{missing} deliveries to {} sockets are late by {PATIENCE:?}", sockets.len()));
                }
                std::thread::sleep(PAUSE);
            }
            for event in &events {
                let messages = sockets[event.token().0].receive(payload, &mut scratch);
                let messages = messages.map_err(|error| error.to_string())?;
                missing = missing.checked_sub(messages).ok_or("a text came twice")?;
                deliveries += messages;
            }
        }
        latencies.record(sockets[0].sent.elapsed());
    }
    Ok((deliveries, latencies))
}
