//! What is counted between two moments: time, the server's CPU time, and how busy this generator was.
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::args::Args;

pub struct Meter {
    agent: Option<BufReader<TcpStream>>,
    from: Option<Reading>,
}

struct Reading {
    at: Instant,
    server: u64,
    own: u64,
}

impl Meter {
    pub fn new(args: &Args) -> Result<Self, String> {
        let agent = match args.all("cpu").last() {
            None => None,
            Some(address) => {
                let stream = TcpStream::connect(address).map_err(|error| format!("--cpu {address}: {error}"))?;
                stream.set_nodelay(true).map_err(|error| error.to_string())?;
                stream.set_read_timeout(Some(Duration::from_secs(5))).map_err(|error| error.to_string())?;
                Some(BufReader::new(stream))
            }
        };
        Ok(Self { agent, from: None })
    }

    pub fn start(&mut self) -> Result<(), String> {
        self.from = Some(self.read()?);
        Ok(())
    }

    /// The beginning of the JSON object: seconds, CPU time of the server in microseconds, share of one core that the generator used.
    pub fn stop(&mut self) -> Result<String, String> {
        let from = self.from.take().ok_or("the counting never began")?;
        let to = self.read()?;
        let seconds = (to.at - from.at).as_secs_f64();
        Ok(format!(
            r#""seconds":{seconds:.6},"cpu":{:.1},"busy":{:.3}"#,
            (to.server - from.server) as f64 / 1e3,
            (to.own - from.own) as f64 / 1e9 / seconds
        ))
    }

    fn read(&mut self) -> Result<Reading, String> {
        let server = match &mut self.agent {
            None => 0,
            Some(agent) => ask(agent).map_err(|error| format!("the server's CPU time: {error}"))?,
        };
        // The first field is the time on a CPU, in nanoseconds: https://docs.kernel.org/scheduler/sched-stats.html
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").map_err(|error| error.to_string())?;
        let own = stat.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0);
        Ok(Reading { at: Instant::now(), server, own })
    }
}

fn ask(agent: &mut BufReader<TcpStream>) -> Result<u64, Box<dyn std::error::Error>> {
    agent.get_mut().write_all(b"cpu\n")?;
    let mut line = String::new();
    agent.read_line(&mut line)?;
    Ok(line.trim().parse()?)
}
