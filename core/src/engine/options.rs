//! The engine's options, by the names of python/django_rivet/conf.py: durations in seconds, sizes in bytes.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::http::head::Limits;

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $kind:ty = $default:expr,)*) => {
        pub struct Options { $($(#[$doc])* pub $name: $kind,)* }

        impl Default for Options {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Options {
            fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
                match name {
                    $(stringify!($name) => self.$name = value.extract()?,)*
                    _ => return Err(PyValueError::new_err("there is no such option")),
                }
                Ok(())
            }
        }
    };
}

options! {
    /// Seconds that an idle connection is kept.
    keep_alive: f64 = 75.0,
    /// Seconds from the first byte of a head to its last.
    header_timeout: f64 = 10.0,
    /// Seconds without a byte of a body that is awaited.
    body_timeout: f64 = 30.0,
    /// Seconds without a byte taken of an answer that waits to be sent.
    write_timeout: f64 = 30.0,
    max_connections: usize = 10_000,
    max_in_flight: usize = 1_000,
    max_head: usize = 65_536,
    max_fields: usize = 100,
    max_target: usize = 8_192,
    max_body: u64 = 100 << 20,
    /// A body above this goes to an unlinked temporary file.
    spool: usize = 1 << 20,
    /// Output of one connection above this makes its writer wait.
    high_water: usize = 256 << 10,
    ws_max_message: usize = 16 << 20,
    /// Bytes that all WebSockets of the process may hold of messages.
    ws_memory: usize = 64 << 20,
    ws_ping: f64 = 20.0,
    ws_ping_timeout: f64 = 20.0,
    ws_deflate: bool = true,
    /// Messages a second that one WebSocket may send for long; 0: any number.
    ws_rate: u32 = 0,
    compression: String = String::from("off"),
    compression_min: usize = 500,
    trusted_proxies: String = String::new(),
    access_log: String = String::from("off"),
    access_log_fd: i32 = 1,
    /// Paths parted by commas: their answers below 400 have no line.
    access_log_skip: String = String::new(),
    /// The page of memory to count in, which others read too; below 0: one of its own.
    metrics_fd: i32 = -1,
    health_path: String = String::from("/health/live"),
    static_cache: usize = 32 << 20,
    /// "learn", "always" or "never": may blocking handlers run on the I/O thread?
    inline: String = String::from("learn"),
}

impl Options {
    /// # Errors
    /// ValueError for an unknown name or a value of the wrong type.
    pub fn from_python(given: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut options = Self::default();
        for (name, value) in given {
            let name: String = name.extract()?;
            options.set(&name, &value).map_err(|error| {
                PyValueError::new_err(format!("option {name}: {value}: {}", error.value(given.py())))
            })?;
        }
        Ok(options)
    }

    pub fn head_limits(&self) -> Limits {
        Limits { head: self.max_head, fields: self.max_fields, target: self.max_target }
    }
}

/// Milliseconds of a duration in seconds.
pub fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}
