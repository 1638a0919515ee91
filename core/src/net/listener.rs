//! Listening sockets, which the parent or the runner has bound.

use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::{Errno, Result};
use rustix::net::{
    AddressFamily, Shutdown, SocketAddrAny, SocketFlags, acceptfrom_with, getsockname, shutdown, sockopt,
};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

pub struct Listener {
    pub fd: OwnedFd,
    /// The host and port it listens on; a Unix socket has its path and no port, as ASGI's `server` wants it.
    pub server: Rc<(String, Option<u16>)>,
    pub tcp: bool,
    refuses: Cell<bool>,
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
        Ok(Self { fd, server: Rc::new(server), tcp, refuses: Cell::new(false) })
    }

    /// The next connection, or None when no more waits.
    pub fn accept(&self) -> Result<Option<Accepted>> {
        match acceptfrom_with(&self.fd, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            Ok((fd, address)) => {
                if self.tcp {
                    // Answers go out in one piece: waiting for more would only delay them (Nagle).
                    sockopt::set_tcp_nodelay(&fd, true)?;
                }
                if self.refuses.get() {
                    set_min_ttl(&fd, 0);
                }
                Ok(Some(Accepted { peer: address.as_ref().and_then(socket_addr), fd }))
            }
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => Ok(None),
            Err(Errno::INVAL) if !self.tcp => Ok(None), // after `refuse_new`
            Err(error) => Err(error),
        }
    }

    /// Lets nobody begin to connect any more; who has begun is accepted. It holds for all who have this socket, and a
    /// Unix socket is ready from then on, whether somebody waits or not.
    ///
    /// A TCP socket leaves newcomers without an answer, so that they ask again a second later (RFC 6298 2.1). Packets
    /// that no router has seen yet can have a TTL of 255 (RFC 5082); nearly all systems begin with 64 or 128. What the
    /// listener demands is not asked of a handshake that is under way, only of its first packet.
    ///
    /// # Errors
    /// The system's.
    pub fn refuse_new(&self) -> Result<()> {
        if !self.tcp {
            return shutdown(&self.fd, Shutdown::Read);
        }
        // What is accepted from now on may have been made with the listener's TTL.
        self.refuses.set(true);
        set_min_ttl(&self.fd, 255);
        Ok(())
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Drops packets that come with a lower TTL: ip(7), IP_MINTTL. A dual-stack socket has one for each version of IP.
fn set_min_ttl(socket: &OwnedFd, ttl: libc::c_int) {
    for (level, option) in [(libc::IPPROTO_IP, libc::IP_MINTTL), (libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT)] {
        let (value, size) = ((&raw const ttl).cast(), size_of::<libc::c_int>() as libc::socklen_t);
        // SAFETY: the descriptor is open, and the call reads so many bytes of `ttl` and keeps nothing. It fails for the
        // version that the socket has not.
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, size) };
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{ErrorKind, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::time::Duration;

    /// The client whom this listener has let in, and nobody else, is heard and answered after the listener's end.
    fn serves_one(listener: Listener, mut client: impl Read + Write) {
        let accepted = listener.accept().unwrap().unwrap().fd;
        assert!(listener.accept().unwrap().is_none());
        drop(listener);
        rustix::io::ioctl_fionbio(&accepted, false).unwrap();
        sockopt::set_socket_timeout(&accepted, sockopt::Timeout::Recv, Some(Duration::from_secs(10))).unwrap();
        let (mut server, mut got) = (File::from(accepted), [0; 4]);
        client.write_all(b"ping").unwrap();
        server.read_exact(&mut got).unwrap();
        server.write_all(b"pong").unwrap();
        client.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"pong");
    }

    #[test]
    fn a_tcp_socket_that_refuses_serves_who_has_connected() {
        for host in ["127.0.0.1", "::1"] {
            let Ok(bound) = TcpListener::bind((host, 0)) else { continue }; // not every machine has IPv6
            let address = bound.local_addr().unwrap();
            let listener = Listener::new(bound.into()).unwrap();
            let client = TcpStream::connect(address).unwrap();
            listener.refuse_new().unwrap();
            let late = TcpStream::connect_timeout(&address, Duration::from_millis(100));
            assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);
            serves_one(listener, client);
            assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        }
    }

    #[test]
    fn who_was_let_in_at_the_last_moment_is_heard() {
        let bound = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = bound.local_addr().unwrap();
        let listener = Listener::new(bound.into()).unwrap();
        // As if the handshake had begun before and ended after: what comes of it has the listener's option.
        listener.refuse_new().unwrap();
        let client = rustix::net::socket(AddressFamily::INET, rustix::net::SocketType::STREAM, None).unwrap();
        sockopt::set_ip_ttl(&client, 255).unwrap();
        rustix::net::connect(&client, &address).unwrap();
        sockopt::set_ip_ttl(&client, 64).unwrap();
        serves_one(listener, TcpStream::from(client));
    }

    #[test]
    fn a_unix_socket_that_refuses_serves_who_has_connected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = Listener::new(UnixListener::bind(&path).unwrap().into()).unwrap();
        let client = UnixStream::connect(&path).unwrap();
        listener.refuse_new().unwrap();
        assert_eq!(UnixStream::connect(&path).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        serves_one(listener, client);
    }
}
