//! The numbers of several processes in one, and their text.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::atomic::Ordering::Relaxed;

use super::page::{Kind, Page, Series};
use super::{BOUNDS, CLASSES, HISTOGRAM};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>
    Text,
    /// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
    OpenMetrics,
}

impl Form {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Families by name, their series by labels: so two processes with different routes add up.
#[derive(Clone, Default)]
pub struct Totals(BTreeMap<String, Family>);

#[derive(Clone)]
struct Family {
    kind: Kind,
    help: String,
    series: BTreeMap<String, Value>,
}

#[derive(Clone)]
enum Value {
    One(f64),
    Histogram([u64; HISTOGRAM]),
}

impl Totals {
    /// Adds what a page says. `living`: gauges too, which end with their process.
    pub fn add(&mut self, page: &Page, living: bool) {
        page.each(|series, numbers| {
            let numbers: Vec<u64> = numbers.iter().map(|number| number.load(Relaxed)).collect();
            match (series.kind, numbers.as_slice()) {
                (Kind::Gauge, _) if !living => {}
                (Kind::Gauge | Kind::Counter, &[number]) => self.number(series, number as f64),
                (Kind::Histogram, numbers) => self.histogram(series, "", numbers),
                (Kind::Statuses, numbers) if numbers.len() == CLASSES.len() * HISTOGRAM => {
                    for (class, numbers) in CLASSES.iter().zip(numbers.chunks(HISTOGRAM)) {
                        self.histogram(series, class, numbers);
                    }
                }
                _ => {}
            }
        });
    }

    pub fn number(&mut self, series: &Series<'_>, more: f64) {
        let value = self.family(series).entry(series.labels.to_owned()).or_insert(Value::One(0.0));
        if let Value::One(number) = value {
            *number += more;
        }
    }

    /// A route's class that never answered has no series.
    fn histogram(&mut self, series: &Series<'_>, class: &str, numbers: &[u64]) {
        let labels =
            if class.is_empty() { series.labels.to_owned() } else { format!("{},status=\"{class}\"", series.labels) };
        let family = self.family(&Series { kind: Kind::Histogram, ..*series });
        let never = !class.is_empty() && numbers.iter().all(|&number| number == 0);
        if numbers.len() != HISTOGRAM || never {
            return;
        }
        if let Value::Histogram(all) = family.entry(labels).or_insert(Value::Histogram([0; HISTOGRAM])) {
            all.iter_mut().zip(numbers).for_each(|(sum, number)| *sum = sum.wrapping_add(*number));
        }
    }

    fn family(&mut self, series: &Series<'_>) -> &mut BTreeMap<String, Value> {
        let new = || Family { kind: series.kind, help: String::new(), series: BTreeMap::new() };
        let family = self.0.entry(series.name.to_owned()).or_insert_with(new);
        if family.help.is_empty() {
            series.help.clone_into(&mut family.help);
        }
        &mut family.series
    }

    pub fn render(&self, form: Form) -> String {
        let mut out = String::with_capacity(16 << 10);
        // Writing into a String cannot fail.
        let _ = self.text(&mut out, form);
        out
    }

    fn text(&self, out: &mut String, form: Form) -> fmt::Result {
        for (name, family) in &self.0 {
            let kind = match family.kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "counter",
                Kind::Histogram | Kind::Statuses => "histogram",
            };
            let title = if form == Form::OpenMetrics && family.kind == Kind::Counter {
                name.strip_suffix("_total").unwrap_or(name)
            } else {
                name
            };
            writeln!(out, "# HELP {title} {}\n# TYPE {title} {kind}", family.help)?;
            for (labels, value) in &family.series {
                match value {
                    Value::One(number) if labels.is_empty() => writeln!(out, "{name} {number}")?,
                    Value::One(number) => writeln!(out, "{name}{{{labels}}} {number}")?,
                    Value::Histogram(numbers) => histogram(out, name, labels, numbers)?,
                }
            }
        }
        if form == Form::OpenMetrics { writeln!(out, "# EOF") } else { Ok(()) }
    }
}

fn histogram(out: &mut String, name: &str, labels: &str, numbers: &[u64; HISTOGRAM]) -> fmt::Result {
    let [buckets @ .., micros] = numbers;
    let comma = if labels.is_empty() { "" } else { "," };
    let (braced, mut below) = (if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }, 0);
    for (count, bound) in buckets.iter().zip(BOUNDS) {
        below += count;
        writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{:?}\"}} {below}", bound as f64 / 1e6)?;
    }
    let total: u64 = buckets.iter().sum();
    writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {total}")?;
    writeln!(out, "{name}_sum{braced} {}", *micros as f64 / 1e6)?;
    writeln!(out, "{name}_count{braced} {total}")
}
