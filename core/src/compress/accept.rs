//! `Accept-Encoding`: <https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3>.

use super::{Coding, Settings};

/// The weights, in thousandths, that a client gives to what we can send; `None`: not named.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Accepted {
    brotli: Option<u16>,
    zstd: Option<u16>,
    gzip: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

impl Accepted {
    /// Reads the values of all `Accept-Encoding` fields; an element with a broken weight is skipped, the first of two equal names counts.
    pub fn parse<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut accepted = Self::default();
        for element in values.into_iter().flat_map(|value| value.split(|&byte| byte == b',')) {
            accepted.take(element);
        }
        accepted
    }

    fn take(&mut self, element: &[u8]) {
        let mut parts = element.splitn(2, |&byte| byte == b';');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let Some(weight) = parts.next().map_or(Some(1000), weight) else { return };
        let place = match name {
            b"*" => &mut self.any,
            _ if name.eq_ignore_ascii_case(b"br") => &mut self.brotli,
            _ if name.eq_ignore_ascii_case(b"zstd") => &mut self.zstd,
            _ if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => &mut self.gzip,
            _ if name.eq_ignore_ascii_case(b"identity") => &mut self.identity,
            _ => return,
        };
        *place = place.or(Some(weight));
    }

    /// What a coding weighs; 0: not acceptable.
    pub fn weight(&self, coding: Coding) -> u16 {
        let named = match coding {
            Coding::Brotli => self.brotli,
            Coding::Zstd => self.zstd,
            Coding::Gzip => self.gzip,
        };
        named.or(self.any).unwrap_or(0)
    }

    /// An identity that is not named stands behind every coding that is.
    fn identity(&self) -> u16 {
        self.identity.unwrap_or(0)
    }

    /// The coding that weighs most, the first of `preferred` among equals; `None`: send the body as it is.
    pub fn best<T: Copy>(&self, preferred: impl IntoIterator<Item = (Coding, T)>) -> Option<(Coding, T)> {
        let mut best = None;
        let mut most = self.identity();
        for (coding, extra) in preferred {
            let weight = self.weight(coding);
            if weight > most || (weight == most && weight > 0 && best.is_none()) {
                most = weight;
                best = Some((coding, extra));
            }
        }
        best
    }
}

/// `q=0.5` and the like, in thousandths: at most three decimals, at most 1 (RFC 9110 12.4.2).
fn weight(parameter: &[u8]) -> Option<u16> {
    let [b'q' | b'Q', b'=', digits @ ..] = parameter.trim_ascii() else { return None };
    let (whole, decimals) = match digits {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    let mut thousandths = u16::from(whole - b'0');
    for place in 0..3 {
        let digit = decimals.get(place).copied().unwrap_or(b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        thousandths = thousandths * 10 + u16::from(digit - b'0');
    }
    (thousandths <= 1000).then_some(thousandths)
}

/// The coding and level to answer with; `None`: as it is.
pub fn negotiate<'a>(
    settings: &Settings,
    accept_encoding: impl IntoIterator<Item = &'a [u8]>,
) -> Option<(Coding, u32)> {
    Accepted::parse(accept_encoding).best(settings.codings.iter().copied())
}
