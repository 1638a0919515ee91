//! Listening sockets, which the parent or the runner has bound.

use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::net::{AddressFamily, SocketAddrAny, SocketFlags, acceptfrom_with, getsockname, sockopt};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

pub struct Listener {
    pub fd: OwnedFd,
    /// The host and port it listens on; a Unix socket has its path and no port, as ASGI's `server` wants it.
    pub server: Rc<(String, Option<u16>)>,
    tcp: bool,
}

pub struct Accepted {
    pub fd: OwnedFd,
    /// None behind a Unix socket.
    pub peer: Option<SocketAddr>,
}

impl Listener {
    pub fn new(fd: OwnedFd) -> Result<Self> {
        rustix::io::ioctl_fionbio(&fd, true)?;
        let address = getsockname(&fd)?;
        let tcp = matches!(address.address_family(), AddressFamily::INET | AddressFamily::INET6);
        let server = match socket_addr(&address) {
            Some(address) => (address.ip().to_string(), Some(address.port())),
            None => (unix_path(&address), None),
        };
        Ok(Self { fd, server: Rc::new(server), tcp })
    }

    /// The next connection, or None when no more waits.
    pub fn accept(&self) -> Result<Option<Accepted>> {
        match acceptfrom_with(&self.fd, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            Ok((fd, address)) => {
                if self.tcp {
                    // Answers go out in one piece: waiting for more would only delay them (Nagle).
                    sockopt::set_tcp_nodelay(&fd, true)?;
                }
                Ok(Some(Accepted { peer: address.as_ref().and_then(socket_addr), fd }))
            }
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn socket_addr(address: &SocketAddrAny) -> Option<SocketAddr> {
    let address = SocketAddr::try_from(address.clone()).ok()?;
    // A dual-stack listener shows IPv4 peers as ::ffff:1.2.3.4; everybody else writes 1.2.3.4.
    Some(match address.ip() {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(address, |ip| SocketAddr::new(IpAddr::V4(ip), address.port())),
        IpAddr::V4(_) => address,
    })
}

fn unix_path(address: &SocketAddrAny) -> String {
    rustix::net::SocketAddrUnix::try_from(address.clone())
        .ok()
        .and_then(|address| address.path().map(|path| path.to_string_lossy().into_owned()))
        .unwrap_or_default()
}
