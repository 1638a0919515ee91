//! django_rivet.broadcast. Documented in python/django_rivet/_core.pyi.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::rc::Rc;
use std::sync::Arc;

use super::websocket::WebSocket;
use crate::engine::Engine;
use crate::engine::conn::State;
use crate::metrics::Counter;
use crate::ws;

/// One message to many sockets, encoded once. Returns how many got it; those that do not keep up are closed (1013).
#[pyfunction]
pub fn broadcast(sockets: &Bound<'_, PyAny>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
    let frame = if let Ok(text) = data.cast::<PyString>() {
        ws::prepared(true, text.to_str()?.as_bytes())
    } else if let Ok(bytes) = data.cast::<PyBytes>() {
        ws::prepared(false, bytes.as_bytes())
    } else {
        return Err(PyTypeError::new_err("a message is str or bytes"));
    };
    let frame: Arc<[u8]> = frame.into();
    let mut sent: usize = 0;
    let mut engine: Option<Rc<Engine>> = None;
    for socket in sockets.try_iter()? {
        let socket = socket?;
        let socket = socket.cast::<WebSocket>()?.get();
        let engine = match &engine {
            Some(engine) if Arc::ptr_eq(&engine.remote, &socket.shared.remote) => engine,
            _ => engine.insert(socket.engine()?),
        };
        let full = engine.with(socket.shared.token, |conn| {
            let open = matches!(&conn.state, State::WebSocket(socket) if socket.open());
            if !open || conn.output.pending() > engine.options.high_water {
                return open;
            }
            conn.output.broadcast(&mut engine.spare(), &frame);
            engine.mark(conn, socket.shared.token);
            engine.metrics.borrow().add(Counter::MessagesOut, 1);
            sent += 1;
            false
        });
        if full == Some(true) {
            engine.close_socket(socket.shared.token, 1013, "too slow");
        }
    }
    Ok(sent)
}
