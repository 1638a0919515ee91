//! A panic, which is a defect of ours, ends one connection and not the process.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Engine;
use super::conn::State;
use super::shared::Progress;
use super::slab::Token;
use crate::http::Refusal;

const MESSAGE: &str = "The engine has panicked: a defect of django-rivet, please report it.";

const DEFECT: Refusal = Refusal { status: 500, reason: "Internal Server Error" };

/// A panic of `work`, or below the Python code that it calls, as an error like others.
///
/// # Errors
/// Those of `work`; RuntimeError for a panic.
pub fn caught<R>(work: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(PyRuntimeError::new_err(MESSAGE)))
}

impl Engine {
    /// Runs `work`, which is for this connection.
    pub fn guarded<R>(&self, py: Python<'_>, token: Option<Token>, work: impl FnOnce() -> R) -> Option<R> {
        // What is borrowed is given back as the stack unwinds; what was taken out is seen to here.
        let result = catch_unwind(AssertUnwindSafe(work)).ok();
        if result.is_none() {
            // Twice is once too often: then the connection is left to its deadline.
            let _ = catch_unwind(AssertUnwindSafe(|| self.panicked(py, token)));
        }
        result
    }

    fn panicked(&self, py: Python<'_>, token: Option<Token>) {
        self.scratch.set(self.take_scratch());
        self.parts.error(py, MESSAGE);
        let Some(token) = token else { return };
        let unanswered = self.with(token, |conn| {
            let begun = conn.current.shared.as_ref().is_some_and(|shared| shared.progress() != Progress::Waiting);
            !begun
                && conn.output.is_empty()
                && !conn.closing
                && matches!(conn.state, State::Head | State::Body(_) | State::Busy)
        });
        if unanswered == Some(true) {
            self.refuse(py, token, &DEFECT);
        } else {
            self.close(py, token);
        }
    }
}
