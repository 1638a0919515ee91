//! The numbers of all processes on a listener of their own: threads of this file answer, which need neither Python nor
//! a worker, so they answer while every handler is stuck.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{SocketFlags, accept_with};

use super::page::{Kind, Page, Series};
use super::system::Process;
use super::{Form, Totals, label};
use crate::http::{Head, Limits, Method};

const PATH: &[u8] = b"/metrics";
/// How long a client may take to ask and to take its answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Clients at once.
const CLIENTS: usize = 8;
const LIMITS: Limits = Limits { head: 8192, fields: 50, target: 1024 };

/// A process that counts in a page.
struct Worker {
    name: String,
    pid: u32,
    since: f64,
    page: Option<Page>,
}

#[derive(Default)]
struct State {
    workers: Vec<Worker>,
    /// What those that have ended had counted.
    base: Totals,
    /// Seconds of CPU of those that have ended, by the worker's name.
    cpu: BTreeMap<String, f64>,
}

#[derive(Default)]
pub struct Exporter(Mutex<State>);

impl Exporter {
    /// Answers on `listener` until the process ends.
    ///
    /// # Errors
    /// The system's.
    pub fn serve(self: &Arc<Self>, listener: OwnedFd) -> io::Result<()> {
        rustix::io::ioctl_fionbio(&listener, false)?;
        let exporter = Arc::clone(self);
        thread::Builder::new().name("rivet-metrics".into()).spawn(move || {
            let mut answering = VecDeque::new();
            loop {
                match accept_with(&listener, SocketFlags::CLOEXEC) {
                    Ok(client) => {
                        answering.retain(|thread: &JoinHandle<()>| !thread.is_finished());
                        if answering.len() >= CLIENTS
                            && let Some(first) = answering.pop_front()
                        {
                            let _ = first.join(); // no other's time is over earlier
                        }
                        // Without a thread for it the client finds its connection closed.
                        answering.extend(exporter.answer_aside(client));
                    }
                    Err(Errno::INTR) => {}
                    // Out of descriptors, as a rule.
                    Err(_) => thread::sleep(Duration::from_millis(100)),
                }
            }
        })?;
        Ok(())
    }

    /// Answers on a thread of its own, so that a client that says nothing holds up nobody.
    fn answer_aside(self: &Arc<Self>, client: OwnedFd) -> io::Result<JoinHandle<()>> {
        let exporter = Arc::clone(self);
        // Who leaves early has no use for an error.
        let answer = move || drop(exporter.answer(Client::new(client)));
        thread::Builder::new().name("rivet-metrics".into()).spawn(answer)
    }

    /// A process has begun, which counts in `page`; without one only what the system knows of it is told.
    ///
    /// # Errors
    /// The system's, and for a descriptor that is no page.
    pub fn began(&self, name: &str, pid: u32, page: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let page = page.map(Page::shared).transpose()?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        self.state().workers.push(Worker { name: name.to_owned(), pid, since, page });
        Ok(())
    }

    /// A process has ended, after so many seconds of CPU: what it had counted stays.
    pub fn ended(&self, pid: u32, cpu: f64) {
        let mut state = self.state();
        let Some(place) = state.workers.iter().position(|worker| worker.pid == pid) else { return };
        let worker = state.workers.remove(place);
        if let Some(page) = &worker.page {
            state.base.add(page, false);
        }
        *state.cpu.entry(worker.name).or_default() += cpu;
    }

    /// Adds to a series that is counted here.
    pub fn add(&self, series: &Series<'_>, more: f64) {
        self.state().base.number(series, more);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn render(&self, form: Form) -> String {
        let state = self.state();
        let mut totals = state.base.clone();
        for page in state.workers.iter().filter_map(|worker| worker.page.as_ref()) {
            totals.add(page, true);
        }
        state.processes(&mut totals);
        drop(state);
        totals.render(form)
    }

    fn answer(&self, mut client: Client) -> io::Result<()> {
        let (mut bytes, mut piece, mut seen) = (Vec::new(), [0; 2048], 0);
        let mut head = Head::default();
        loop {
            let count = match client.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if count == 0 {
                return Ok(());
            }
            bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
            match head.parse(&bytes, &mut seen, &LIMITS) {
                Ok(false) => {}
                Ok(true) => return self.respond(&mut client, &head, &bytes),
                Err(refusal) => return plain(&mut client, refusal.status, refusal.reason, true),
            }
        }
    }

    fn respond(&self, client: &mut Client, head: &Head, bytes: &[u8]) -> io::Result<()> {
        let with_body = head.method != Method::Head;
        if !matches!(head.method, Method::Get | Method::Head) {
            return plain(client, 405, "metrics are read by GET", with_body);
        }
        if head.path.of(bytes) != PATH {
            return plain(client, 404, "metrics are at /metrics", with_body);
        }
        let accept = head.field(bytes, b"accept").unwrap_or_default();
        let open = memchr::memmem::find(accept, b"application/openmetrics-text").is_some();
        let form = if open { Form::OpenMetrics } else { Form::Text };
        write(client, 200, form.content_type(), &self.render(form), with_body)
    }
}

/// A client, until its time is over.
struct Client {
    socket: File,
    until: Instant,
}

impl Client {
    fn new(socket: OwnedFd) -> Self {
        Self { socket: File::from(socket), until: Instant::now() + PATIENCE }
    }

    /// Has the next call wait for no longer than is left.
    fn limit(&self, side: Timeout) -> io::Result<()> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(set_socket_timeout(&self.socket, side, Some(left))?)
    }
}

impl Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.limit(Timeout::Recv)?;
        self.socket.read(buffer)
    }
}

impl Write for Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.limit(Timeout::Send)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl State {
    /// The names that Prometheus' own libraries use, for each worker; several processes of one worker add up.
    fn processes(&self, totals: &mut Totals) {
        let series = |kind, name, help, worker: &str, totals: &mut Totals, value| {
            let labels = format!("worker=\"{}\"", label(worker));
            totals.number(&Series { kind, name, labels: &labels, help }, value);
        };
        let cpu = ("process_cpu_seconds_total", "Seconds of CPU, user and system.");
        for (worker, &seconds) in &self.cpu {
            series(Kind::Counter, cpu.0, cpu.1, worker, totals, seconds);
        }
        let mut newest: BTreeMap<&str, f64> = BTreeMap::new();
        for worker in &self.workers {
            let since = newest.entry(&worker.name).or_default();
            *since = since.max(worker.since);
            let Some(process) = Process::read(worker.pid) else { continue };
            series(Kind::Counter, cpu.0, cpu.1, &worker.name, totals, process.cpu);
            let memory = ("process_resident_memory_bytes", "Bytes of memory in use (RSS).");
            series(Kind::Gauge, memory.0, memory.1, &worker.name, totals, process.memory);
            if let Some(files) = process.files {
                series(Kind::Gauge, "process_open_fds", "Open file descriptors.", &worker.name, totals, files);
            }
        }
        for (worker, since) in newest {
            let help = "When the process was started, in seconds since 1970.";
            series(Kind::Gauge, "process_start_time_seconds", help, worker, totals, since);
        }
    }
}

fn plain(client: &mut Client, status: u16, text: &str, with_body: bool) -> io::Result<()> {
    write(client, status, "text/plain; charset=utf-8", &format!("{text}\n"), with_body)
}

fn write(client: &mut Client, status: u16, media: &str, body: &str, with_body: bool) -> io::Result<()> {
    let mut out = crate::http::status::line(status).unwrap_or(b"HTTP/1.1 400 Bad Request\r\n").to_vec();
    let fields = format!("Content-Type: {media}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    out.extend_from_slice(fields.as_bytes());
    if with_body {
        out.extend_from_slice(body.as_bytes());
    }
    client.write_all(&out)
}
