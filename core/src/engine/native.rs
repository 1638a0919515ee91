//! Native handlers: called with as little between as can be, `def` and `async def`.

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::rc::Rc;
use std::sync::Arc;

use super::conn::Exchange;
use super::learnt::Learnt;
use super::routes::Params;
use super::settle::Settle;
use super::shared::{Body, Progress, Shared};
use super::slab::Token;
use super::{Engine, answer::Plain, settle};
use crate::http::head::Head;
use crate::py::driver::Driver;
use crate::py::gil::Gil;
use crate::py::render::Rendered;
use crate::py::request::Request;
use crate::py::websocket::WebSocket;
use crate::py::{context, step};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A coroutine function whose code cannot suspend.
    Ready,
    /// Any other coroutine function.
    Async,
    /// Runs on the I/O thread as long as it is quick, else on the pool.
    Learn,
    Inline,
    Pool,
}

pub struct Handler {
    pub callable: Py<PyAny>,
    pub kind: Kind,
    /// It wants the Request first.
    pub request: bool,
    pub slot: u16,
    /// Of its path's parameters.
    pub names: Vec<String>,
    /// Makes an answer of what is none: `settle(request, value, error)`.
    pub settle: Option<Arc<Settle>>,
    /// Bytes of a body; None: as the server has it.
    pub max_body: Option<u64>,
    /// Milliseconds until its answer must have begun; 0: any.
    pub timeout: u64,
    /// As in `Exchange`.
    pub codings: u8,
    /// Threads of the pool measure for it, too.
    pub learnt: Arc<Gil<Learnt>>,
}

/// Bytes of a body from which on a `def` handler runs on the pool, whatever was declared or learnt: who takes a body
/// parses it, and Django's upload handlers may do anything with a form.
const LARGE: usize = 64 << 10;

fn is_large(body: Option<&Body>) -> bool {
    match body {
        Some(Body::Memory(bytes)) => bytes.len() >= LARGE,
        Some(Body::File(_)) => true,
        None => false,
    }
}

/// One call of a handler.
pub struct Call {
    pub token: Token,
    pub exchange: Exchange,
    pub params: Params,
}

pub enum Outcome {
    Value(Rendered),
    Error(PyErr),
    Cancelled,
    /// The route's `settle` has answered, or this coroutine of it will.
    Settled(Option<Py<PyAny>>),
}

impl Outcome {
    /// Of a coroutine that `settle` returned.
    pub fn later(result: PyResult<Bound<'_, PyAny>>) -> Self {
        result.map_or_else(Self::Error, |_| Self::Settled(None))
    }
}

impl Engine {
    pub fn call_native(
        &self,
        py: Python<'_>,
        call: Call,
        handler: &Rc<Handler>,
        head: &mut Head,
        bytes: &[u8],
        body: Option<Body>,
    ) {
        match handler.kind {
            Kind::Inline if !handler.request => self.call_inline(py, &call, handler, head, bytes),
            Kind::Learn if !handler.request && handler.learnt.inline() => {
                let trial = handler.learnt.begin(self.clock.micros());
                self.call_inline(py, &call, handler, head, bytes);
                handler.learnt.end(trial, self.clock.micros());
            }
            Kind::Ready if !handler.request => {
                let result = context::within(py, &self.context(py), || {
                    let coroutine = invoke(py, handler, None, &call.params)?;
                    step::to_end(&coroutine)
                });
                self.answer_value(py, &call, handler, head, bytes, result);
            }
            Kind::Async if !handler.request => self.call_async(py, &call, handler, head, bytes),
            _ => self.call_with_request(py, call, handler, head, bytes, body),
        }
    }

    /// The context of one call of a native handler.
    pub fn context<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        let given = self.native_context.borrow().as_ref().and_then(|given| context::copy_of(given.bind(py)).ok());
        given.unwrap_or_else(|| context::copy(py))
    }

    fn call_inline(&self, py: Python<'_>, call: &Call, handler: &Handler, head: &mut Head, bytes: &[u8]) {
        let result = self.run_inline(py, &self.context(py), handler, None, &call.params);
        self.answer_value(py, call, handler, head, bytes, result);
    }

    /// Calls a `def` handler on this thread.
    fn run_inline<'py>(
        &self,
        py: Python<'py>,
        context: &Bound<'py, PyAny>,
        handler: &Handler,
        request: Option<&Bound<'py, Request>>,
        params: &Params,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.untidy.set(true);
        let call = || context::within(py, context, || invoke(py, handler, request, params));
        let result = self.parts.without_loop(py, call);
        if result.is_err() {
            self.tidy(py);
        }
        result
    }

    /// Lets Django close the database connections of this thread that are broken or too old: views see to that
    /// themselves, native handlers do not.
    pub fn tidy(&self, py: Python<'_>) {
        self.untidy.set(false);
        let tidy = self.on_tidy.borrow().as_ref().map(|tidy| tidy.clone_ref(py));
        if let Some(tidy) = tidy
            && let Err(error) = self.parts.without_loop(py, || tidy.call0(py))
        {
            self.parts.exception(py, "database connections could not be closed", &error);
        }
    }

    fn answer_value(
        &self,
        py: Python<'_>,
        call: &Call,
        handler: &Handler,
        head: &mut Head,
        bytes: &[u8],
        result: PyResult<Bound<'_, PyAny>>,
    ) {
        match settle::render(py, &self.parts.encode, handler.settle.as_deref(), None, result) {
            Ok(rendered) => self.rendered(py, call.token, call.exchange, (head, bytes), &rendered),
            Err(unsettled) if handler.settle.is_some() => {
                if let Some(shared) = self.enlist_native(handler, call, head, bytes, None) {
                    let outcome = self.settle_here(py, &self.context(py), handler, &shared, None, unsettled);
                    self.ended(py, &shared, outcome);
                }
            }
            Err(unsettled) => {
                self.parts.exception(py, "a handler failed", &unsettled.into_error());
                let plain = Plain::new(500, b"Internal Server Error\n");
                self.plain(py, call.token, call.exchange, (head, bytes), &plain);
            }
        }
    }

    /// A coroutine that may suspend runs as a Task, begun at once; only if it does suspend is the request put aside.
    fn call_async(&self, py: Python<'_>, call: &Call, handler: &Handler, head: &mut Head, bytes: &[u8]) {
        let context = self.context(py);
        let coroutine = context::within(py, &context, || invoke(py, handler, None, &call.params));
        let begun = coroutine.and_then(|coroutine| self.parts.begin_task(py, coroutine, &context));
        match begun {
            Ok((driver, task)) => match driver.get().finished(py) {
                Some(result) => self.answer_value(py, call, handler, head, bytes, result),
                None => {
                    if let Some(shared) = self.enlist_native(handler, call, head, bytes, None) {
                        self.suspended(py, handler, driver.get(), task, shared, None);
                    }
                }
            },
            Err(error) => self.answer_value(py, call, handler, head, bytes, Err(error)),
        }
    }

    fn suspended(
        &self,
        py: Python<'_>,
        handler: &Handler,
        driver: &Driver,
        task: Py<PyAny>,
        shared: Arc<Shared>,
        request: Option<Bound<'_, Request>>,
    ) {
        self.cancel_with(py, &shared, &task);
        driver.answer_to(shared, handler.settle.clone(), request.map(Bound::unbind));
    }

    /// As `enlist`; from here on its time runs.
    fn enlist_native(
        &self,
        handler: &Handler,
        call: &Call,
        head: &mut Head,
        bytes: &[u8],
        body: Option<Body>,
    ) -> Option<Arc<Shared>> {
        let shared = self.enlist(call.token, call.exchange, head, bytes, body)?;
        if handler.timeout > 0 {
            self.answer_within(call.token, handler.timeout);
        }
        Some(shared)
    }

    /// Cancels the task when the client goes.
    pub fn cancel_with(&self, py: Python<'_>, shared: &Arc<Shared>, task: &Py<PyAny>) {
        if let Ok(cancel) = task.getattr(py, "cancel") {
            // One that has answered already goes on, whatever becomes of the connection.
            let _ = self.for_answer(shared, |conn, _| conn.current.on_disconnect.push(cancel));
        }
    }

    /// The general way: the handler wants the request, or runs on the pool.
    fn call_with_request(
        &self,
        py: Python<'_>,
        call: Call,
        handler: &Rc<Handler>,
        head: &mut Head,
        bytes: &[u8],
        body: Option<Body>,
    ) {
        let large = is_large(body.as_ref());
        let Some(shared) = self.enlist_native(handler, &call, head, bytes, body) else { return };
        let request = if handler.request { Request::new(py, Arc::clone(&shared), false).map(Some) } else { Ok(None) };
        let request = match request {
            Ok(request) => request,
            Err(error) => return self.ended(py, &shared, Outcome::Error(error)),
        };
        let context = self.context(py);
        let quick = handler.kind == Kind::Inline || (handler.kind == Kind::Learn && handler.learnt.inline());
        match handler.kind {
            Kind::Ready => {
                let run = || step::to_end(&invoke(py, handler, request.as_ref(), &call.params)?);
                let result = context::within(py, &context, run);
                self.ended(py, &shared, self.outcome_here(py, &context, handler, &shared, request, result));
            }
            Kind::Async => {
                let coroutine = context::within(py, &context, || invoke(py, handler, request.as_ref(), &call.params));
                let result = match coroutine.and_then(|coroutine| self.parts.begin_task(py, coroutine, &context)) {
                    Ok((driver, task)) => match driver.get().finished(py) {
                        Some(result) => result,
                        None => return self.suspended(py, handler, driver.get(), task, shared, request),
                    },
                    Err(error) => Err(error),
                };
                self.ended(py, &shared, self.outcome_here(py, &context, handler, &shared, request, result));
            }
            _ if quick && !large => {
                let trial = handler.learnt.begin(self.clock.micros());
                let result = self.run_inline(py, &context, handler, request.as_ref(), &call.params);
                let outcome = self.outcome_here(py, &context, handler, &shared, request, result);
                handler.learnt.end(trial, self.clock.micros());
                self.ended(py, &shared, outcome);
            }
            _ => self.call_on_pool(py, &call, handler, request, shared),
        }
    }

    fn call_on_pool(
        &self,
        py: Python<'_>,
        call: &Call,
        handler: &Rc<Handler>,
        request: Option<Bound<'_, Request>>,
        shared: Arc<Shared>,
    ) {
        let pool = self.pool.borrow().as_ref().map(|pool| pool.clone_ref(py));
        let Some(pool) = pool else {
            let context = self.context(py);
            let result = context::within(py, &context, || invoke(py, handler, request.as_ref(), &call.params));
            return self.ended(py, &shared, self.outcome_here(py, &context, handler, &shared, request, result));
        };
        let tidy = self.on_tidy.borrow().as_ref().map(|tidy| tidy.clone_ref(py));
        let job = crate::py::job::Job::new(py, &self.parts, handler, request, &call.params, Arc::clone(&shared), tidy);
        let submitted = job.and_then(|job| pool.call1(py, (job,)));
        if let Err(error) = submitted {
            self.ended(py, &shared, Outcome::Error(error));
        }
    }

    /// There is no thread for a request.
    pub fn busy(&self, py: Python<'_>, shared: &Arc<Shared>) {
        if shared.advance(Progress::Waiting, Progress::Ended) {
            let full = Plain { retry_after: true, ..Plain::new(503, b"The server is busy: try again.\n") };
            self.respond_plain(py, shared, &full);
        }
    }

    /// A native handler that had left the stack has ended.
    pub fn ended(&self, py: Python<'_>, shared: &Arc<Shared>, outcome: Outcome) {
        match outcome {
            Outcome::Value(rendered) => {
                // Else it has answered by its Request, or somebody who holds that goes on with it.
                if shared.advance(Progress::Waiting, Progress::Ended) {
                    self.respond_rendered(py, shared, &rendered);
                }
            }
            Outcome::Error(error) => {
                // How a handler learns that its client has gone, which is no failure.
                if !(shared.is_gone() && error.is_instance_of::<PyOSError>(py)) {
                    self.parts.exception(py, "a handler failed", &error);
                }
                self.fail(py, shared.token, shared);
            }
            Outcome::Settled(Some(coroutine)) => self.settle_later(py, shared, coroutine),
            Outcome::Cancelled => self.fail(py, shared.token, shared),
            // It has answered; or it has failed to, and nobody will.
            Outcome::Settled(None) if shared.progress() == Progress::Waiting => self.fail(py, shared.token, shared),
            Outcome::Settled(None) => {}
        }
    }
}

/// Keyword arguments of a handler.
pub fn named<'py>(py: Python<'py>, params: &Params) -> PyResult<Bound<'py, PyDict>> {
    let named = PyDict::new(py);
    for (name, value) in params {
        named.set_item(PyString::intern(py, name), value)?;
    }
    Ok(named)
}

/// Calls the handler.
pub fn invoke<'py>(
    py: Python<'py>,
    handler: &Handler,
    request: Option<&Bound<'py, Request>>,
    params: &Params,
) -> PyResult<Bound<'py, PyAny>> {
    let callable = handler.callable.bind(py);
    if params.is_empty() {
        return match request {
            Some(request) => callable.call1((request,)),
            None => callable.call0(),
        };
    }
    let named = named(py, params)?;
    match request {
        Some(request) => callable.call((request,), Some(&named)),
        None => callable.call((), Some(&named)),
    }
}

/// Begins a WebSocket's handler, as a Task of its own.
pub fn invoke_socket(
    py: Python<'_>,
    engine: &Engine,
    handler: &Handler,
    socket: &Bound<'_, WebSocket>,
    params: &Params,
) -> PyResult<()> {
    let named = named(py, params)?;
    let context = engine.context(py);
    let callable = handler.callable.bind(py);
    let coroutine = context::within(py, &context, || callable.call((socket,), Some(&named)))?;
    let (driver, task) = engine.parts.begin_task(py, coroutine, &context)?;
    match driver.get().finished(py) {
        Some(result) => WebSocket::handler_ended(socket, result.map(drop)),
        None => {
            driver.get().answer_socket(socket.clone().unbind());
            socket.get().keep_task(task);
        }
    }
    Ok(())
}
