//! django_rivet._core.Learnt: the rule of src/engine/learnt.rs for handlers that Python calls. Documented in
//! python/django_rivet/_core.pyi.

use pyo3::prelude::*;
use std::cell::RefCell;
use std::time::{Duration, Instant};

use super::gil::Gil;
use crate::engine::learnt::{self, Took, Try};

#[pyclass(module = "django_rivet._core", frozen)]
pub struct Learnt {
    rule: Gil<learnt::Learnt>,
    started: Instant,
    call: Gil<RefCell<Option<Try>>>,
}

#[pymethods]
impl Learnt {
    #[new]
    fn new() -> Self {
        Self { rule: Gil::new(learnt::Learnt::default()), started: Instant::now(), call: Gil::new(RefCell::default()) }
    }

    #[getter]
    fn inline(&self) -> bool {
        self.rule.inline()
    }

    fn begin(&self) {
        self.call.replace(Some(self.rule.begin(self.started.elapsed().as_micros() as u64)));
    }

    fn end(&self) {
        if let Some(call) = self.call.take() {
            self.rule.end(call, self.started.elapsed().as_micros() as u64);
        }
    }

    fn on_pool(&self, wall: f64, cpu: f64) {
        let duration = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        self.rule.on_pool(Took { wall: duration(wall), cpu: duration(cpu) });
    }
}
