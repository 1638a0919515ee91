"""Listening sockets: TCP, Unix, or inherited from who started us."""

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django_rivet import conf
from django_rivet.server import CannotStart

# https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
_FIRST_INHERITED = 3
_METRICS_BACKLOG = 16


class Listening(NamedTuple):
    """Where a server listens."""

    # The sockets of each process.
    places: list[list[socket.socket]]
    # Nobody has them but this server and its processes.
    own: bool = True


class Flags(NamedTuple):
    """The options that say where to listen, for messages."""

    host: conf.Row
    port: conf.Row


_USUAL = Flags(conf.row("host"), conf.row("port"))
_METRICS = Flags(conf.row("metrics"), conf.row("metrics"))
_UDS = conf.row("uds")


@contextlib.contextmanager
def listening(options: conf.Options) -> Iterator[Listening]:
    """For each process its sockets: those inherited, the Unix socket (both shared by all), or TCP ones of its own."""
    if shared := inherited():
        yield Listening([shared] * options.processes, own=False)
    elif options.uds:
        with _unix_for_now(options.uds, options) as bound:
            yield Listening([[bound]] * options.processes)
    else:
        yield Listening(tcp(options.host, options.port, options.backlog, options.processes))


@contextlib.contextmanager
def metrics(options: conf.Options) -> Iterator[list[socket.socket]]:
    """Those on which metrics are answered; none if they are not."""
    if not options.metrics:
        yield []
    elif "/" in options.metrics:
        with _unix_for_now(options.metrics, options, _METRICS.host) as bound:
            yield [bound]
    else:
        host, _, port = options.metrics.rpartition(":")
        yield tcp(host.strip("[]") or None, int(port), _METRICS_BACKLOG, flags=_METRICS)[0]


@contextlib.contextmanager
def _unix_for_now(path: str, options: conf.Options, flag: conf.Row = _UDS) -> Iterator[socket.socket]:
    bound = unix(path, options.backlog, int(options.uds_mode, 8), flag)
    inode = os.stat(path).st_ino
    try:
        yield bound
    finally:
        # Another server may have put its own there meanwhile.
        with contextlib.suppress(OSError):
            if os.stat(path).st_ino == inode:
                os.unlink(path)


def inherited() -> list[socket.socket]:
    """The listening sockets that systemd (or another parent) passes by LISTEN_FDS; none if it passes none."""
    count, pid = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if not count or pid != str(os.getpid()):
        return []
    if not count.isdigit():
        raise CannotStart(f"LISTEN_FDS is {count!r}: it must be the number of sockets passed.")
    return [adopt(fd) for fd in range(_FIRST_INHERITED, _FIRST_INHERITED + int(count))]


def adopt(fd: int) -> socket.socket:
    """A socket of a file descriptor that this process was started with; children of ours do not get it by accident."""
    try:
        found = socket.socket(fileno=fd)
        listening = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise CannotStart(
            f"File descriptor {fd} was passed to listen on, but is no socket: {error.strerror}."
        ) from None
    if found.type != socket.SOCK_STREAM or not listening:
        raise CannotStart(f"File descriptor {fd} was passed to listen on, but is no listening stream socket.")
    found.set_inheritable(False)
    return found


def tcp(
    host: str | None, port: int, backlog: int, copies: int = 1, *, flags: Flags = _USUAL
) -> list[list[socket.socket]]:
    """For each of `copies` processes its own sockets, one for each address of `host` (None: of all), on the same port.

    Several copies share their addresses by SO_REUSEPORT: the kernel spreads new connections, and what waits in the
    queue of one stays there while its process is replaced (socket(7)).
    """
    addresses = _resolve(host, port, flags)
    # A plain bind first: by SO_REUSEPORT a second server of the same user would get half of the connections.
    first = _bind_all(addresses, host, port, flags, reuse_port=False)
    if copies > 1:
        addresses = [(at.family, at.getsockname()) for at in first]  # those that this machine has
        _close(first)
        sets = [_bind_all(addresses, host, port, flags, reuse_port=True) for _ in range(copies)]
    else:
        sets = [first]
    for each in (one for group in sets for one in group):
        each.listen(backlog)
    return sets


def _resolve(host: str | None, port: int, flags: Flags) -> list[tuple[int, tuple[object, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotStart(
            f"{flags.host} {host} is no address of this machine ({reason}): write one, or a name of one."
        ) from None
    # Dots in /etc/hosts and names with aliases give the same address twice.
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _bind_all(
    addresses: Sequence[tuple[int, tuple[object, ...]]],
    host: str | None,
    port: int,
    flags: Flags,
    *,
    reuse_port: bool,
) -> list[socket.socket]:
    bound: list[socket.socket] = []
    for family, address in addresses:
        # With port 0 the first address chooses, the others follow.
        chosen = (address[0], bound[0].getsockname()[1], *address[2:]) if bound and not port else address
        try:
            bound.append(_bind(family, chosen, host, reuse_port))
        except OSError as error:
            # A name such as localhost stands for ::1 too, which containers often lack.
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) and len(addresses) > 1:
                continue
            _close(bound)
            raise CannotStart(_why(error, host, chosen[1], flags)) from None
    if not bound:
        raise CannotStart(f"{flags.host} {host} is no address of this machine: write one, or a name of one.")
    return bound


def _bind(family: int, address: tuple[object, ...], host: str | None, reuse_port: bool) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections that still end (TIME_WAIT) must not keep the next server from starting: tcp(7).
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _why(error: OSError, host: str | None, port: object, flags: Flags) -> str:
    host = host or "this machine"
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken by another program: stop it, or choose another port by {flags.port}."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} needs more rights: choose one above 1023 by {flags.port}."
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return f"{flags.host} {host} is no address of this machine: write one, or a name of one."
    return f"Cannot listen on {host}, port {port}: {error.strerror}; {flags.host} and {flags.port} say where."


def unix(path: str, backlog: int, mode: int = 0o666, flag: conf.Row = _UDS) -> socket.socket:
    """A Unix socket. By default everybody on this machine may connect, as to a port of loopback; folders can say no.

    A file that a server which died has left is replaced; one that a living server listens on is not.
    """
    if os.path.lexists(path):
        _remove_stale(path, flag)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(path)
        # Before anybody can connect, which needs the queue.
        os.chmod(path, mode)
        made.listen(backlog)
    except OSError as error:
        made.close()
        raise CannotStart(f"{flag} {path} cannot be listened on: {error.strerror or error}.") from None
    return made


def _remove_stale(path: str, flag: conf.Row) -> None:
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise CannotStart(f"{path} is there and is no socket: remove it, or choose another path by {flag}.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except OSError as error:
            raise CannotStart(f"{flag} {path}: cannot tell whether it is in use: {error.strerror or error}.") from None
    raise CannotStart(f"{path} is taken by another program: stop it, or choose another path by {flag}.")


def shown(bound: socket.socket) -> str:
    """The address as a person opens it: http://127.0.0.1:8000/ or unix:/run/web.sock."""
    if bound.family == socket.AF_UNIX:
        return f"unix:{bound.getsockname()}"
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}/" if bound.family == socket.AF_INET6 else f"http://{host}:{port}/"


def _close(sockets: Sequence[socket.socket]) -> None:
    for each in sockets:
        each.close()
