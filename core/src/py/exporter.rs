//! django_rivet._core.Exporter and PoolMeter. Documented in python/django_rivet/_core.pyi.

use pyo3::prelude::*;
use rustix::fd::{BorrowedFd, IntoRawFd, RawFd};
use std::sync::Arc;

use crate::metrics;
use crate::metrics::page::{Kind, Page, Series};
use crate::metrics::{Form, serve};

#[pyclass(module = "django_rivet._core", frozen)]
pub struct Exporter(Arc<serve::Exporter>);

#[pymethods]
impl Exporter {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    #[staticmethod]
    fn page() -> PyResult<RawFd> {
        Ok(Page::make()?.into_raw_fd())
    }

    fn serve(&self, fd: RawFd) -> PyResult<()> {
        Ok(self.0.serve(borrowed(fd).try_clone_to_owned()?)?)
    }

    #[pyo3(signature = (name, pid, page=None))]
    fn began(&self, name: &str, pid: u32, page: Option<RawFd>) -> PyResult<()> {
        Ok(self.0.began(name, pid, page.map(borrowed))?)
    }

    fn ended(&self, pid: u32, cpu: f64) {
        self.0.ended(pid, cpu);
    }

    #[pyo3(signature = (name, help, labels, more, *, gauge=false))]
    fn add(&self, name: &str, help: &str, labels: Vec<(String, String)>, more: f64, gauge: bool) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", metrics::label(value))).collect();
        let kind = if gauge { Kind::Gauge } else { Kind::Counter };
        self.0.add(&Series { kind, name, labels: &labels.join(","), help }, more);
    }

    fn render(&self) -> String {
        self.0.render(Form::Text)
    }
}

/// SAFETY of its use: who gives us a descriptor keeps it open for the time of the call.
fn borrowed<'fd>(fd: RawFd) -> BorrowedFd<'fd> {
    // SAFETY: see above; a closed one makes the call fail, nothing worse.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// What the pool of threads has to tell.
#[pyclass(module = "django_rivet._core", frozen)]
pub struct PoolMeter(pub metrics::PoolMeter);

#[pymethods]
impl PoolMeter {
    fn waited(&self, seconds: f64) {
        self.0.waited((seconds * 1e6) as u64);
    }

    fn refused(&self) {
        self.0.refused();
    }
}
