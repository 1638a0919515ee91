//! What other threads ask of the I/O thread.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use super::fields::Fields;
use super::native::Outcome;
use super::shared::Shared;
use super::slab::Token;
use crate::py::waiter::Waiter;

/// Bytes of a file.
pub struct Part {
    pub fd: OwnedFd,
    pub offset: u64,
    pub count: u64,
}

pub enum Command {
    Respond {
        shared: Arc<Shared>,
        status: u16,
        fields: Fields,
        body: Py<PyBytes>,
    },
    Start {
        shared: Arc<Shared>,
        status: u16,
        fields: Fields,
    },
    Write {
        shared: Arc<Shared>,
        data: Py<PyBytes>,
    },
    File {
        shared: Arc<Shared>,
        status: u16,
        fields: Fields,
        part: Part,
    },
    End {
        shared: Arc<Shared>,
    },
    Abort {
        shared: Arc<Shared>,
    },
    /// Nobody holds the request any more.
    Dropped {
        shared: Arc<Shared>,
    },
    OnDisconnect {
        shared: Arc<Shared>,
        callback: Py<PyAny>,
    },
    /// No thread of the pool was free in time.
    Busy {
        shared: Arc<Shared>,
    },
    /// A native handler has ended on the pool.
    Native {
        shared: Arc<Shared>,
        outcome: Outcome,
    },
    /// What a Task waits for is there.
    Settle {
        waiter: Py<Waiter>,
        result: PyResult<Py<PyAny>>,
    },
}

impl Command {
    /// The connection that it is for.
    pub fn token(&self) -> Option<Token> {
        match self {
            Self::Respond { shared, .. }
            | Self::Start { shared, .. }
            | Self::Write { shared, .. }
            | Self::File { shared, .. }
            | Self::End { shared }
            | Self::Abort { shared }
            | Self::Dropped { shared }
            | Self::OnDisconnect { shared, .. }
            | Self::Busy { shared }
            | Self::Native { shared, .. } => Some(shared.token),
            Self::Settle { .. } => None,
        }
    }
}

/// The I/O thread sleeps in its poll, or is about to.
const ASLEEP: u8 = 1;
/// It has been told to look and has not yet looked.
const TOLD: u8 = 2;

pub struct Remote {
    commands: Mutex<Vec<Command>>,
    state: AtomicU8,
    pub wake: OwnedFd,
    /// Tells this process's request ids from those of others.
    pub boot: u64,
}

impl Remote {
    pub fn new() -> rustix::io::Result<Self> {
        Ok(Self {
            commands: Mutex::new(Vec::new()),
            state: AtomicU8::new(0),
            boot: std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        })
    }

    pub fn push(&self, command: Command) {
        if let Ok(mut commands) = self.commands.lock() {
            commands.push(command);
        }
        self.tell();
    }

    /// Has the I/O thread look. Only a sleeping one needs the system for it.
    pub fn tell(&self) {
        if self.state.fetch_or(TOLD, Ordering::AcqRel) == ASLEEP {
            // Fails only when the counter is full, and then the thread wakes all the same.
            let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        }
    }

    /// The I/O thread's poll, which may sleep unless there is something to look at.
    pub fn asleep<R>(&self, poll: impl FnOnce(bool) -> R) -> R {
        let told = self.state.fetch_or(ASLEEP, Ordering::AcqRel) & TOLD != 0;
        let result = poll(!told);
        self.state.fetch_and(!ASLEEP, Ordering::AcqRel);
        result
    }

    /// `wake` was ready.
    pub fn woken(&self) {
        let _ = rustix::io::read(&self.wake, &mut [0u8; 8]);
    }

    /// What has been asked so far; `into` is empty and keeps its memory.
    pub fn take(&self, into: &mut Vec<Command>) {
        if self.state.fetch_and(!TOLD, Ordering::AcqRel) & TOLD == 0 {
            return;
        }
        if let Ok(mut commands) = self.commands.lock() {
            std::mem::swap(&mut *commands, into);
        }
    }
}
