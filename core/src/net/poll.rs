//! Readiness by epoll, level-triggered. https://man7.org/linux/man-pages/man7/epoll.7.html

use rustix::event::{Timespec, epoll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, Result};

pub use rustix::event::epoll::EventFlags as Flags;

/// What a connection always wants to hear of: bytes, and that the peer has shut its side.
pub const READ: Flags = Flags::IN.union(Flags::RDHUP);

pub struct Event {
    pub token: u64,
    pub flags: Flags,
}

/// What one wait has told.
#[derive(Default)]
pub struct Events(Vec<epoll::Event>);

// SAFETY: the kernel's union could hold a pointer; ours holds nothing but numbers.
unsafe impl Send for Events {}

impl Events {
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub fn iter(&self) -> impl Iterator<Item = Event> {
        self.0.iter().map(|event| Event { token: event.data.u64(), flags: event.flags })
    }
}

pub struct Poll {
    epoll: OwnedFd,
}

impl Poll {
    pub fn new() -> Result<Self> {
        Ok(Self { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)? })
    }

    pub fn add(&self, fd: impl AsFd, token: u64, flags: Flags) -> Result<()> {
        epoll::add(&self.epoll, fd, epoll::EventData::new_u64(token), flags)
    }

    pub fn modify(&self, fd: impl AsFd, token: u64, flags: Flags) -> Result<()> {
        epoll::modify(&self.epoll, fd, epoll::EventData::new_u64(token), flags)
    }

    pub fn remove(&self, fd: impl AsFd) -> Result<()> {
        epoll::delete(&self.epoll, fd)
    }

    /// Waits for at most this many milliseconds (None: for ever); false when a signal came instead.
    pub fn wait(&self, Events(buffer): &mut Events, milliseconds: Option<u64>) -> Result<bool> {
        buffer.clear();
        let timeout = milliseconds.map(|milliseconds| Timespec {
            tv_sec: (milliseconds / 1000).min(86_400).cast_signed(),
            tv_nsec: ((milliseconds % 1000) * 1_000_000).cast_signed(),
        });
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(buffer), timeout.as_ref()) {
            Ok(_) => Ok(true),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
