//! Latencies in buckets that are never wider than 1/128 of their value.
use std::time::Duration;

const BITS: u32 = 7;

#[derive(Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Histogram {
    pub fn new() -> Self {
        Self { buckets: vec![0; 64 << BITS], count: 0, max: 0 }
    }

    pub fn record(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
        self.max = self.max.max(nanos);
    }

    /// Microseconds below which this share of the latencies lies; 0 where there are none.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return upper(index).min(self.max) as f64 / 1e3;
            }
        }
        0.0
    }

    pub fn json(&self) -> String {
        format!(
            r#"{{"count":{},"p50":{:.1},"p99":{:.1},"max":{:.1}}}"#,
            self.count,
            self.quantile(0.5),
            self.quantile(0.99),
            self.max as f64 / 1e3
        )
    }
}

fn bucket(nanos: u64) -> usize {
    let shift = (64 - nanos.leading_zeros()).saturating_sub(BITS + 1);
    ((u64::from(shift) << BITS) + (nanos >> shift)) as usize
}

fn upper(index: usize) -> u64 {
    let index = index as u64;
    let shift = (index >> BITS).saturating_sub(1);
    let rest = index - (shift << BITS);
    ((rest + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_narrow_and_in_order() {
        for nanos in (0..10_000).chain((1..50).map(|n| n * 977_777_777)) {
            let top = upper(bucket(nanos));
            assert!(top >= nanos && top - nanos <= nanos / 128, "{nanos} {top}");
        }
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::new();
        (1..=1000).for_each(|n| histogram.record(Duration::from_micros(n)));
        assert!((histogram.quantile(0.5) - 500.0).abs() < 5.0);
        assert!((histogram.quantile(0.99) - 990.0).abs() < 9.0);
        assert!((histogram.quantile(1.0) - 1000.0).abs() < 0.1);
    }
}
