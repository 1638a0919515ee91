//! Addresses as text, without an allocation.

use std::io::Write;
use std::net::IpAddr;

pub fn address(buffer: &mut [u8; 48], address: Option<IpAddr>) -> &[u8] {
    let Some(address) = address else { return b"-" };
    let mut left = &mut buffer[..];
    // An address has 45 characters at most.
    let _ = match address {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            let mut at = 0;
            for (index, octet) in [a, b, c, d].into_iter().enumerate() {
                let mut digits = itoa::Buffer::new();
                let text = digits.format(octet);
                let dot = if index == 0 { "" } else { "." };
                at += left.write(dot.as_bytes()).unwrap_or(0) + left.write(text.as_bytes()).unwrap_or(0);
            }
            return buffer.get(..at).unwrap_or_default();
        }
        IpAddr::V6(_) => write!(left, "{address}"),
    };
    let left = left.len();
    buffer.get(..48 - left).unwrap_or_default()
}
