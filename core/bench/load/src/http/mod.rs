//! HTTP/1.1: a closed loop over some connections, or requests at a fixed rate.
mod client;
mod connection;
mod request;
mod response;

use std::time::Duration;

use crate::args::Args;
use crate::meter::Meter;
use client::Client;
use request::Plan;

pub fn run(args: &Args) -> Result<String, String> {
    let warm = args.duration("warm", 0.3)?;
    let seconds = args.duration("seconds", 2.0)?;
    let rate: f64 = args.number("rate", 0.0)?;
    let interval = if rate > 0.0 { Some(Duration::from_secs_f64(1.0 / rate)) } else { None };
    let plan = Plan::new(args.all("request"), args.number("depth", 1)?)?;
    let mut meter = Meter::new(args)?;
    let mut client = Client::new(args.address()?, plan, args.number("connections", 50)?, interval)?;
    client.run(warm)?;
    client.forget();
    meter.start()?;
    client.run(seconds)?;
    let measured = meter.stop()?;
    Ok(format!("{{{measured},{}}}", client.json()))
}
