//! A native handler's call on the pool.

use pyo3::prelude::*;
use std::sync::{Arc, Mutex};

use super::context;
use super::gil::Gil;
use super::request::Request;
use crate::engine::learnt::{Learnt, Stopwatch};
use crate::engine::native::{Handler, Kind, Outcome, named};
use crate::engine::panics::caught;
use crate::engine::remote::Command;
use crate::engine::routes::Params;
use crate::engine::settle::{self, Settle};
use crate::engine::shared::Shared;

#[pyclass(module = "django_rivet._core", frozen)]
pub struct Job {
    callable: Py<PyAny>,
    encode: Py<PyAny>,
    settle: Option<Arc<Settle>>,
    /// Called after the handler: `Reactor.pool`.
    tidy: Option<Py<PyAny>>,
    /// Of a handler that need not stay on the pool: one that has left it is here for its large body alone.
    learnt: Option<Arc<Gil<Learnt>>>,
    request: Option<Py<Request>>,
    params: Params,
    shared: Mutex<Option<Arc<Shared>>>,
}

impl Job {
    pub fn new<'py>(
        py: Python<'py>,
        parts: &super::parts::Parts,
        handler: &Handler,
        request: Option<Bound<'py, Request>>,
        params: &Params,
        shared: Arc<Shared>,
        tidy: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        let job = Self {
            callable: handler.callable.clone_ref(py),
            encode: parts.encode.clone_ref(py),
            settle: handler.settle.clone(),
            tidy,
            learnt: (handler.kind == Kind::Learn && !handler.learnt.inline()).then(|| Arc::clone(&handler.learnt)),
            request: request.map(Bound::unbind),
            params: params.clone(),
            shared: Mutex::new(Some(shared)),
        };
        Bound::new(py, job)
    }

    fn take(&self) -> Option<Arc<Shared>> {
        self.shared.lock().ok()?.take()
    }

    fn run<'py>(&self, py: Python<'py>, context: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let named = named(py, &self.params)?;
        let callable = self.callable.bind(py);
        context::within(py, context, || match &self.request {
            Some(request) => callable.call((request.clone_ref(py),), Some(&named)),
            None => callable.call((), Some(&named)),
        })
    }
}

impl Drop for Job {
    /// One that never ran: nobody is left to read its answer, but the connection still waits for it.
    fn drop(&mut self) {
        if let Some(shared) = self.take() {
            let remote = Arc::clone(&shared.remote);
            remote.push(Command::Abort { shared });
        }
    }
}

#[pymethods]
impl Job {
    /// Does somebody still wait for it?
    fn wanted(&self) -> bool {
        let shared = self.shared.lock();
        shared.is_ok_and(|shared| shared.as_ref().is_some_and(|shared| !shared.is_gone()))
    }

    /// No thread was free in time.
    fn refuse(&self) {
        let Some(shared) = self.take() else { return };
        let remote = Arc::clone(&shared.remote);
        remote.push(Command::Busy { shared });
    }

    /// Runs the handler on this thread and hands the answer to the I/O thread.
    fn __call__(&self, py: Python<'_>) {
        if !self.wanted() {
            return;
        }
        let Some(shared) = self.take() else { return };
        shared.begin();
        let measured = self.learnt.as_ref().map(|learnt| (learnt, Stopwatch::start()));
        let context = context::copy(py);
        let request = self.request.as_ref().map(|request| request.bind(py));
        let settle = self.settle.as_deref();
        let outcome = caught(|| match settle::render(py, &self.encode, settle, request, self.run(py, &context)) {
            Ok(rendered) => Ok(Outcome::Value(rendered)),
            Err(unsettled) => Ok(unsettled.settle(py, &context, settle, &shared, request.cloned())),
        });
        let outcome = outcome.unwrap_or_else(Outcome::Error);
        if let Some((learnt, watch)) = measured {
            learnt.on_pool(watch.stop());
        }
        if let Some(tidy) = &self.tidy
            && let Err(error) = tidy.call0(py)
        {
            error.write_unraisable(py, None);
        }
        let remote = Arc::clone(&shared.remote);
        remote.push(Command::Native { shared, outcome });
    }
}
