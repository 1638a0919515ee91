//! The requests to send, and the answer that each must get.
use std::fs;

pub struct Request {
    pub bytes: Vec<u8>,
    pub status: u16,
    pub body: Vec<u8>,
    weight: u32,
}

pub struct Plan {
    pub requests: Vec<Request>,
    pub depth: usize,
    total: u32,
    state: u32,
}

impl Plan {
    /// Each text is `WEIGHT,STATUS,FILE,BODY`.
    pub fn new<'a>(texts: impl Iterator<Item = &'a str>, depth: usize) -> Result<Self, String> {
        let requests = texts.map(parse).collect::<Result<Vec<_>, _>>()?;
        let total = requests.iter().map(|request| request.weight).sum();
        if total == 0 || depth == 0 {
            return Err("--request and --depth must be given, and be above 0".into());
        }
        Ok(Self { requests, depth, total, state: 2_463_534_242 })
    }

    /// The index of the next request. The sequence is the same in each run (xorshift, fixed seed).
    pub fn next(&mut self) -> usize {
        if self.requests.len() == 1 {
            return 0;
        }
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        let mut point = self.state % self.total;
        for (index, request) in self.requests.iter().enumerate() {
            if point < request.weight {
                return index;
            }
            point -= request.weight;
        }
        0
    }
}

fn parse(text: &str) -> Result<Request, String> {
    let wrong = || format!("--request {text}: not WEIGHT,STATUS,FILE,BODY");
    let mut parts = text.splitn(4, ',');
    let mut part = || parts.next().ok_or_else(wrong);
    let (weight, status, file, body) = (part()?, part()?, part()?, part()?);
    let read = |name: &str| fs::read(name).map_err(|error| format!("{name}: {error}"));
    Ok(Request {
        bytes: read(file)?,
        status: status.parse().map_err(|_| wrong())?,
        body: read(body)?,
        weight: weight.parse().map_err(|_| wrong())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_kept() {
        let request = |weight| Request { bytes: Vec::new(), status: 200, body: Vec::new(), weight };
        let mut plan = Plan { requests: vec![request(90), request(10)], depth: 1, total: 100, state: 1 };
        let second: usize = (0..10_000).map(|_| plan.next()).sum();
        assert!((900..1100).contains(&second), "{second}");
    }
}
