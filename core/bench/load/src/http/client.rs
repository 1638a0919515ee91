//! All connections, on one thread.
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use super::connection::{Connection, State};
use super::request::Plan;
use crate::histogram::Histogram;

pub struct Client {
    poll: Poll,
    address: SocketAddr,
    plan: Plan,
    connections: Vec<Connection>,
    latencies: Vec<Histogram>,
    wrong: u64,
    broken: u64,
    pace: Option<Pace>,
    batch: Vec<u8>,
}

/// A fixed rate: when the next request is due, those that found no free connection, and the free connections.
struct Pace {
    interval: Duration,
    due: Instant,
    waiting: VecDeque<(usize, Instant)>,
    free: Vec<usize>,
}

impl Client {
    pub fn new(address: SocketAddr, plan: Plan, count: usize, interval: Option<Duration>) -> Result<Self, String> {
        let poll = Poll::new().map_err(|error| error.to_string())?;
        let mut client = Self {
            poll,
            address,
            latencies: vec![Histogram::new(); plan.requests.len()],
            plan,
            connections: Vec::with_capacity(count),
            wrong: 0,
            broken: 0,
            pace: interval.map(|interval| Pace {
                interval,
                due: Instant::now(),
                waiting: VecDeque::new(),
                free: (0..count).rev().collect(),
            }),
            batch: Vec::new(),
        };
        for token in 0..count {
            let connection = client.connect(token)?;
            client.connections.push(connection);
        }
        if client.pace.is_none() {
            let now = Instant::now();
            (0..count).try_for_each(|token| client.refill(token, now))?;
        }
        Ok(client)
    }

    pub fn run(&mut self, length: Duration) -> Result<(), String> {
        let end = Instant::now() + length;
        let mut events = Events::with_capacity(1024);
        let mut scratch = vec![0; 256 * 1024];
        loop {
            let wake = self.pace.as_ref().map_or(end, |pace| pace.due.min(end));
            let timeout = wake.saturating_duration_since(Instant::now());
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => other.map_err(|error| error.to_string())?,
            }
            // Events are edges: those that were taken must be served, or their connections stand still for ever.
            let now = Instant::now();
            self.submit(now)?;
            for event in events.iter() {
                self.serve(event.token().0, now, &mut scratch)?;
            }
            if now >= end {
                return Ok(());
            }
        }
    }

    /// Starts the counting anew.
    pub fn forget(&mut self) {
        self.latencies.fill(Histogram::new());
        (self.wrong, self.broken) = (0, 0);
    }

    pub fn json(&mut self) -> String {
        // What is still waiting has a latency too: at a fixed rate a server that stands still must not look good.
        if let Some(pace) = &self.pace {
            let sent = self.connections.iter().flat_map(|connection| connection.sent.iter());
            for &(request, since) in pace.waiting.iter().chain(sent) {
                self.latencies[request].record(since.elapsed());
            }
        }
        let latencies: Vec<_> = self.latencies.iter().map(Histogram::json).collect();
        format!(r#""wrong":{},"broken":{},"latency":[{}]"#, self.wrong, self.broken, latencies.join(","))
    }

    fn connect(&self, token: usize) -> Result<Connection, String> {
        let mut connection = Connection::open(self.address).map_err(|error| format!("{}: {error}", self.address))?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let register = self.poll.registry().register(&mut connection.stream, Token(token), interest);
        register.map_err(|error| error.to_string())?;
        Ok(connection)
    }

    /// At a fixed rate: hands out the requests that have become due.
    fn submit(&mut self, now: Instant) -> Result<(), String> {
        let Some(pace) = &mut self.pace else { return Ok(()) };
        while pace.due <= now {
            pace.due += pace.interval;
            pace.waiting.push_back((self.plan.next(), now));
        }
        while let Some(pace) = &mut self.pace
            && let Some(&token) = pace.free.last()
            && let Some((request, since)) = pace.waiting.pop_front()
        {
            pace.free.pop();
            self.send(token, request, since)?;
        }
        Ok(())
    }

    fn send(&mut self, token: usize, request: usize, since: Instant) -> Result<(), String> {
        let connection = &mut self.connections[token];
        connection.sent.push_back((request, since));
        if !connection.send(&self.plan.requests[request].bytes) {
            self.replace(token, true)?;
        }
        Ok(())
    }

    /// In a closed loop: sends as many requests as may be in flight on one connection, at once.
    fn refill(&mut self, token: usize, now: Instant) -> Result<(), String> {
        if self.plan.depth == 1 {
            let request = self.plan.next();
            return self.send(token, request, now);
        }
        self.batch.clear();
        for _ in 0..self.plan.depth {
            let request = self.plan.next();
            self.batch.extend_from_slice(&self.plan.requests[request].bytes);
            self.connections[token].sent.push_back((request, now));
        }
        if !self.connections[token].send(&self.batch) {
            self.replace(token, true)?;
        }
        Ok(())
    }

    fn serve(&mut self, token: usize, now: Instant, scratch: &mut [u8]) -> Result<(), String> {
        let connection = &mut self.connections[token];
        if !connection.flush() {
            return self.replace(token, true);
        }
        let (latencies, wrong) = (&mut self.latencies, &mut self.wrong);
        let mut answers = 0;
        let state = connection.receive(&self.plan.requests, scratch, |answer| {
            answers += 1;
            latencies[answer.request].record(now.saturating_duration_since(answer.since));
            *wrong += u64::from(!answer.right);
        });
        let idle = connection.sent.is_empty();
        match state {
            State::Open if answers == 0 || !idle => Ok(()),
            State::Open => self.release(token, now),
            State::Closed => self.replace(token, false),
            State::Broken => self.replace(token, true),
        }
    }

    fn release(&mut self, token: usize, now: Instant) -> Result<(), String> {
        match &mut self.pace {
            None => self.refill(token, now),
            Some(pace) => {
                pace.free.push(token);
                self.submit(now)
            }
        }
    }

    fn replace(&mut self, token: usize, broken: bool) -> Result<(), String> {
        self.broken += u64::from(broken);
        if self.broken > 10_000 {
            return Err("more than 10,000 connections broke".into());
        }
        self.connections[token] = self.connect(token)?;
        match &mut self.pace {
            None => self.refill(token, Instant::now()),
            Some(pace) => {
                if !pace.free.contains(&token) {
                    pace.free.push(token);
                }
                Ok(())
            }
        }
    }
}
