//! Whom `X-Forwarded-For` and `X-Forwarded-Proto` are believed from. `Forwarded` (RFC 7239) is not read: one convention, so that two cannot disagree.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An address range; mapped IPv6 addresses (`::ffff:192.0.2.1`) count as the IPv4 ones they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Network {
    V4(u32, u32),
    V6(u128, u128),
}

impl Network {
    fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let wrong = || format!("trusted proxies: {text:?} is no address, network, \"unix\" or \"*\"");
        let written: IpAddr = address.parse().map_err(|_| wrong())?;
        let width: u32 = if written.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), |prefix| prefix.parse().map_err(|_| wrong()))?;
        let host = width.checked_sub(prefix).ok_or_else(wrong)?;
        let network = match written.to_canonical() {
            IpAddr::V6(address) => Self::V6(address.to_bits(), u128::MAX.checked_shl(host).unwrap_or(0)),
            // A mapped network wider than all of IPv4 is no network of IPv4 addresses.
            IpAddr::V4(_) if host > 32 => return Err(wrong()),
            IpAddr::V4(address) => Self::V4(address.to_bits(), u32::MAX.checked_shl(host).unwrap_or(0)),
        };
        if network.masked() != network {
            return Err(format!(
                "trusted proxies: {text:?} has bits beyond its prefix, write {}",
                network.masked().text()
            ));
        }
        Ok(network)
    }

    fn masked(self) -> Self {
        match self {
            Self::V4(base, mask) => Self::V4(base & mask, mask),
            Self::V6(base, mask) => Self::V6(base & mask, mask),
        }
    }

    fn text(self) -> String {
        match self {
            Self::V4(base, mask) => format!("{}/{}", Ipv4Addr::from(base), mask.leading_ones()),
            Self::V6(base, mask) => format!("{}/{}", Ipv6Addr::from(base), mask.leading_ones()),
        }
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4(base, mask), IpAddr::V4(address)) => address.to_bits() & mask == base,
            (Self::V6(base, mask), IpAddr::V6(address)) => address.to_bits() & mask == base,
            _ => false,
        }
    }
}

/// The proxies whose word is taken; nobody's by default.
#[derive(Clone, Default, Debug)]
pub struct Trusted {
    peers: bool,
    unix: bool,
    networks: Vec<Network>,
}

impl Trusted {
    /// Reads `RIVET_TRUSTED_PROXIES`: addresses, networks (`10.0.0.0/8`), `unix` (whoever connects over a Unix socket), `*` (whoever connects), by commas.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut trusted = Self::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match entry {
                "*" => trusted.peers = true,
                "unix" => trusted.unix = true,
                _ => trusted.networks.push(Network::parse(entry)?),
            }
        }
        Ok(trusted)
    }

    /// Whether the peer of a connection is believed; `None` is the peer of a Unix socket.
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        self.peers || peer.map_or(self.unix, |peer| self.proxy(peer.to_canonical()))
    }

    fn proxy(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The right-most address that is no trusted proxy: each address was added by the one to its right, so what is left of it is hearsay.
    ///
    /// `forwarded_for`: the values of all `X-Forwarded-For` fields, in order. `*` trusts the peer alone, not what stands in the list.
    pub fn client<'a>(
        &self,
        peer: Option<IpAddr>,
        forwarded_for: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Option<IpAddr> {
        let mut client = peer.map(|peer| peer.to_canonical());
        if !self.trusts(client) {
            return client;
        }
        for element in elements(forwarded_for) {
            // Something that is no address (`unknown`, a name, junk): the last proxy that said something sound is as far as we know.
            let Some(address) = address(element) else { break };
            client = Some(address);
            if !self.proxy(address) {
                break;
            }
        }
        client
    }

    /// The scheme that the client used, when a trusted peer tells: `https` only when every element says so.
    ///
    /// `forwarded_proto`: the values of all `X-Forwarded-Proto` fields.
    pub fn scheme<'a>(
        &self,
        peer: Option<IpAddr>,
        forwarded_proto: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Option<&'static str> {
        if !self.trusts(peer) {
            return None;
        }
        let mut scheme = None;
        for element in elements(forwarded_proto) {
            match element.to_ascii_lowercase().as_slice() {
                b"https" | b"wss" => scheme = scheme.or(Some("https")),
                b"http" | b"ws" => scheme = Some("http"),
                _ => return None,
            }
        }
        scheme
    }
}

/// The elements of a list field (RFC 9110 5.6.1) from right to left, empty ones skipped.
fn elements<'a>(values: impl DoubleEndedIterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
    values
        .rev()
        .flat_map(|value| value.rsplit(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip())),
    };
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests;
