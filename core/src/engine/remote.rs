//! What other threads ask of the I/O thread.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::fields::Fields;
use super::learnt::Took;
use super::native::Outcome;
use super::shared::Shared;

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
        fd: OwnedFd,
        offset: u64,
        count: u64,
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
        took: Took,
    },
}

pub struct Remote {
    commands: Mutex<Vec<Command>>,
    /// The I/O thread has been told to look and has not yet looked.
    told: AtomicBool,
    pub wake: OwnedFd,
    /// Tells this process's request ids from those of others.
    pub boot: u64,
}

impl Remote {
    pub fn new() -> rustix::io::Result<Self> {
        Ok(Self {
            commands: Mutex::new(Vec::new()),
            told: AtomicBool::new(false),
            boot: std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        })
    }

    pub fn push(&self, command: Command) {
        if let Ok(mut commands) = self.commands.lock() {
            commands.push(command);
        }
        if !self.told.swap(true, Ordering::AcqRel) {
            // Fails only when the counter is full, and then the thread wakes all the same.
            let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        }
    }

    /// What has been asked so far; `into` is empty and keeps its memory.
    pub fn take(&self, into: &mut Vec<Command>) {
        if !self.told.swap(false, Ordering::AcqRel) {
            return;
        }
        let _ = rustix::io::read(&self.wake, &mut [0u8; 8]);
        if let Ok(mut commands) = self.commands.lock() {
            std::mem::swap(&mut *commands, into);
        }
    }
}
