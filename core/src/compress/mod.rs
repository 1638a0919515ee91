//! Compression of answers: what may be compressed, in which coding, and the codecs. docs: RFC 9110 8.4, 12.5.3, 12.5.5.

mod accept;
mod codec;
mod policy;

pub use accept::{Accepted, negotiate};
pub use codec::{Encoders, Stream};
pub use policy::{Answer, Asked, Plan, compressible, plan, vary, weak};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Coding {
    Brotli,
    Zstd,
    Gzip,
}

impl Coding {
    /// The token of `Content-Encoding` and `Accept-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            "gzip" => Some(Self::Gzip),
            _ => None,
        }
    }

    /// The levels a server can afford: zstd's above 19 need more memory than a browser has to grant (RFC 9659).
    fn levels(self) -> std::ops::RangeInclusive<u32> {
        match self {
            Self::Brotli => 0..=11,
            Self::Zstd => 1..=19,
            Self::Gzip => 1..=9,
        }
    }

    fn default_level(self) -> u32 {
        match self {
            Self::Brotli => 4,
            Self::Zstd => 3,
            Self::Gzip => 5,
        }
    }
}

/// What `RIVET_COMPRESSION` and `RIVET_COMPRESSION_MIN` say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// In order of preference, with levels.
    codings: Vec<(Coding, u32)>,
    /// Shorter bodies are left alone: a packet carries them anyhow.
    min: usize,
}

impl Settings {
    /// Reads `off` (`Ok(None)`) or a list such as `zstd,gzip:6`: codings in order of preference, each with its level if wanted.
    pub fn parse(text: &str, min: usize) -> Result<Option<Self>, String> {
        if text == "off" {
            return Ok(None);
        }
        let mut codings: Vec<(Coding, u32)> = Vec::new();
        for entry in text.split(',').map(str::trim) {
            let (name, level) = entry.split_once(':').map_or((entry, None), |(name, level)| (name, Some(level)));
            let coding = Coding::parse(name).ok_or_else(|| {
                format!("compression: {name:?} is none of off, zstd, br, gzip (as in \"zstd,gzip:6\")")
            })?;
            let level = level.map_or(Some(coding.default_level()), |level| level.parse().ok());
            let Some(level) = level.filter(|level| coding.levels().contains(level)) else {
                let (low, high) = (coding.levels().start().to_owned(), coding.levels().end().to_owned());
                return Err(format!("compression: the level of {entry:?} must be a whole number from {low} to {high}"));
            };
            if codings.iter().any(|(known, _)| *known == coding) {
                return Err(format!("compression: {} is named twice", coding.name()));
            }
            codings.push((coding, level));
        }
        Ok(Some(Self { codings, min }))
    }
}

#[cfg(test)]
mod tests;
