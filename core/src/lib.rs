//! The Rust half of django-rivet. docs/request.md walks one request through it.

pub mod compress;
pub mod engine;
pub mod files;
pub mod http;
pub mod log;
pub mod metrics;
pub mod net;
pub mod proxy;
pub mod py;
pub mod ws;

use pyo3::panic::PanicException;
use pyo3::prelude::*;

#[pymodule(gil_used = true)]
mod _core {
    use super::*;

    #[pymodule_export]
    use crate::py::broadcast::broadcast;
    #[pymodule_export]
    use crate::py::exporter::{Exporter, PoolMeter};
    #[pymodule_export]
    use crate::py::job::Job;
    #[pymodule_export]
    use crate::py::learnt::Learnt;
    #[pymodule_export]
    use crate::py::query::parse_query;
    #[pymodule_export]
    use crate::py::reactor::{Reactor, Waker, suspends};
    #[pymodule_export]
    use crate::py::replay::parse_requests;
    #[pymodule_export]
    use crate::py::request::Request;
    #[pymodule_export]
    use crate::py::waiter::Waiter;
    #[pymodule_export]
    use crate::py::websocket::{Disconnected, WebSocket};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("PanicException", module.py().get_type::<PanicException>())
    }
}
