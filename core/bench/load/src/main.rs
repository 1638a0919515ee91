//! The benchmark's load generator. It prints one line of JSON.
//!
//!     load http --address 127.0.0.1:8000 --seconds 2 --connections 50 --depth 1 --request 1,200,FILE,BODY...
//!     load http ... --rate 300              a fixed rate: latency counts from the moment a request was due
//!     load echo | broadcast --address ... --path /ws --connections 50 --seconds 2
//!     load broadcast ... --depth 16         texts in flight
//!     load idle --address ... --path /ws --connections 10000      holds them until its standard input ends
//!
//! `--request WEIGHT,STATUS,FILE,BODY`: FILE holds the request's bytes, BODY the answer's exact body.
//! `--cpu ADDRESS` asks for the server's CPU time (nanoseconds) when counting starts and ends.
mod args;
mod histogram;
mod http;
mod meter;
mod websocket;

use std::process::ExitCode;

fn run() -> Result<String, String> {
    let (command, args) = args::Args::parse(std::env::args().skip(1))?;
    match command.as_str() {
        "http" => http::run(&args),
        "echo" => websocket::echo::run(&args),
        "broadcast" => websocket::broadcast::run(&args),
        "idle" => websocket::idle::run(&args),
        other => Err(format!("unknown command {other:?}")),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}
