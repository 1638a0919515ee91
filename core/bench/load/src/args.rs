//! `--name value` pairs of the command line.
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

pub struct Args(Vec<(String, String)>);

impl Args {
    /// The command (first word) and its options.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<(String, Self), String> {
        let command = words.next().ok_or("a command is missing: http, echo, broadcast or idle")?;
        let mut pairs = Vec::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or(format!("{word:?} is not an option"))?;
            let value = words.next().ok_or(format!("--{name} lacks its value"))?;
            pairs.push((name.to_owned(), value));
        }
        Ok((command, Self(pairs)))
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |pair| pair.0 == name).map(|pair| pair.1.as_str())
    }

    pub fn text<'a>(&'a self, name: &'a str) -> Result<&'a str, String> {
        self.all(name).last().ok_or_else(|| format!("--{name} is missing"))
    }

    pub fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, String> {
        match self.all(name).last() {
            None => Ok(default),
            Some(value) => value.parse().map_err(|_| format!("--{name} {value}: not a number")),
        }
    }

    pub fn duration(&self, name: &str, default: f64) -> Result<Duration, String> {
        Duration::try_from_secs_f64(self.number(name, default)?).map_err(|error| format!("--{name}: {error}"))
    }

    pub fn address(&self) -> Result<SocketAddr, String> {
        let text = self.text("address")?;
        text.parse().map_err(|_| format!("--address {text}: not an address"))
    }
}
