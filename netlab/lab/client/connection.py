"""A session's client object and its sockets: opened, abandoned, half-closed, reset, watched.

It knows no transcript. All but `open` and `close` may be called while a call runs in it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
from collections.abc import Callable, Mapping

from netlab.capture.model import Endpoint
from netlab.lab.client.attribution import Counts, counts
from netlab.lab.client.cancellable_socket import CancellableSocket, Wake
from netlab.platforms import ERROR, PEER_CLOSED, poll, unread_count
from netlab.topics.contract import Client

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 s; close(2) then sends RST (socket(7))
_SOCKETS_REMEMBERED = 8


class Notes(logging.Logger):
    """A client's ``log``: called with a sentence, or used as a logger. It has no parent logger and prints nothing."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__("netlab.client", logging.DEBUG)
        self._say = say

    def __call__(self, text: str) -> None:
        """Note a sentence."""
        self._say(text)

    def handle(self, record: logging.LogRecord) -> None:
        """Note what was logged."""
        self._say(record.getMessage())


class Connection:
    """A client, connected or about to be. ``client`` is None until `open` has returned."""

    NOT_READY = "the connection is closed: it was not ready yet"

    def __init__(self, wake: Wake, excused: Callable[[Endpoint], bool] = lambda local: False) -> None:
        """``excused`` says, for a local address, whether its waiting does not count now."""
        self.client: Client | None = None
        self.closed = False
        self.shut = False  # by `abandon`, if the client's call could not be ended otherwise
        self._wake, self._excused = wake, excused
        self._made: list[CancellableSocket] = []

    def open(
        self,
        kind: Callable[..., Client],
        address: Endpoint,
        log: Notes,
        keywords: Mapping[str, object],
    ) -> None:
        """Construct the client, which connects; its exceptions are raised."""
        self.client = kind((address.host, address.port), log=log, make_socket=self._make_socket, **keywords)

    def _make_socket(self, family: int = socket.AF_INET, type: int = socket.SOCK_STREAM) -> CancellableSocket:
        made = CancellableSocket(family, type, wake=self._wake, excused=self._excused)
        self._made = [*self._made[1 - _SOCKETS_REMEMBERED :], made]
        return made

    @property
    def connected(self) -> bool:
        """Whether there is a client that was not closed on this side."""
        if self.client is None or self.closed or self.shut:
            return False
        return not isinstance(self.client.socket, socket.socket) or self.client.socket.fileno() >= 0

    @property
    def shaking_hands(self) -> bool:
        """Whether the client is connected but not yet constructed, as during a handshake."""
        return self.client is None and not self.closed and any(made.local is not None for made in self._made)

    @property
    def answered(self) -> bool:
        """Whether anything was received so far. True if unknown, as it may be if others read from the socket."""
        return any(made.received or (made.detached and _has_read(*made.detached)) for made in self._made)

    @property
    def local(self) -> Endpoint | None:
        """The local address."""
        sock = self._socket()
        if sock is None:
            return None
        try:
            name = sock.getsockname()
        except OSError:
            return None
        return Endpoint(name[0], name[1])

    @property
    def of_one_call(self) -> bool:
        """Whether the client, although connected, has closed its last socket: each call then makes its own."""
        return bool(self._made) and self._made[-1].fileno() < 0 and not self._made[-1].detached

    @property
    def last_local(self) -> Endpoint | None:
        """The local address of its last connection, open or closed."""
        return self.local or (self._made[-1].local if self._made else None)

    def addresses(self) -> dict[Endpoint, float]:
        """The local addresses of its last connections, and when each began to connect (`time.monotonic`)."""
        made = self._made
        found = {each.local: each.began for each in made if each.local is not None}
        here = self.local
        return found if here is None or not made else {here: made[-1].began, **found}

    def reads(self, local: Endpoint) -> tuple[int, ...] | None:
        """The lengths that its connection from this address has read, one for each call of ``recv``.

        None if they are not known: `ssl` reads by itself, and very many are not kept.
        """
        made = next((one for one in reversed(self._made) if one.local == local), None)
        known = made is not None and made.detached is None and made.type == socket.SOCK_STREAM
        return tuple(made.reads) if made is not None and known and made.reads is not None else None

    def marks(self) -> dict[Endpoint, Counts | None]:
        """What its last connections have sent and read, by local address; None for a closed one."""
        live, sock = self.local, self._socket()
        found: dict[Endpoint, Counts | None] = {}
        for made in self._made:
            if made.local is not None:
                here = sock if made.local == live else made
                found[made.local] = counts(here) if here is not None and here.fileno() >= 0 else None
        return found

    def abandon(self) -> bool:
        """End the waiting of the running call. True: the connection survives; False: it had to be shut down."""
        self._wake.set()
        foreign = [made.detached for made in self._made if made.detached]
        before, self.shut = self.shut, bool(foreign) or self.shut  # before the shutdown, since the call may end at once
        shut = [_shut_down(fd, inode, socket.SHUT_RDWR) for fd, inode in foreign]
        self.shut = before or any(shut)
        return not any(shut)

    @property
    def lost_by_abandoning(self) -> str:
        """What was lost when the last call was abandoned, in a sentence; empty if nothing, or if it was shut down."""
        if self.shut:
            return ""
        if not self.connected:
            return (
                self.NOT_READY if self.client is None else "the connection is closed: part of an answer was under way"
            )
        return "the call's connection is closed, and its answer is lost" if self.of_one_call else ""

    def half_close(self) -> bool:
        """Send FIN and go on reading; False if there is no open stream."""
        sock = self._socket()
        if sock is None or sock.type != socket.SOCK_STREAM:
            return False
        return _shut_down(sock.fileno(), os.fstat(sock.fileno()).st_ino, socket.SHUT_WR)

    def reset_on_close(self) -> bool:
        """Let the next `close` send RST; False if there is no open stream."""
        sock = self._socket()
        if sock is None or sock.type != socket.SOCK_STREAM:
            return False
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        return True

    def set_timeout(self, seconds: float) -> None:
        """Set how long the next operation may wait, on the socket and on a client that measures time itself."""
        if self.client is not None and hasattr(self.client, "timeout"):
            self.client.timeout = seconds
        sock = self._socket()
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.settimeout(seconds)

    def peer_reset(self) -> bool:
        """Whether the peer has reset the stream, as far as the system shows that before the next use."""
        return self._poll() & ERROR != 0

    def peer_closed(self) -> bool:
        """Whether the peer has closed or reset the stream: as soon as it has (Linux), or once a read has shown it."""
        sock = self._socket()
        return (isinstance(sock, CancellableSocket) and sock.ended) or self._poll() != 0

    def stream_fileno(self) -> int | None:
        """The stream's descriptor, to watch for the peer's closing; None for datagrams and closed streams."""
        sock = self._socket()
        if sock is None or sock.type != socket.SOCK_STREAM or not PEER_CLOSED or self.closed or self.shut:
            return None
        return sock.fileno()

    def unread(self, most: int) -> tuple[int, bytes]:
        """How many bytes have come and were not read, and the first of them; of a datagram socket, the next datagram's.

        They stay to be read.
        """
        sock = self._socket()
        if sock is None:
            return 0, b""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as same:
            same.setblocking(False)
            head = same.recv(most, socket.MSG_PEEK)
            return max(len(head), unread_count(same)), head
        return 0, b""

    def datagram_error(self) -> str:
        """The error that the system has noted for a datagram socket, once; empty if there is none."""
        sock = self._socket()
        if sock is None or sock.type != socket.SOCK_DGRAM:
            return ""
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return os.strerror(number) if number else ""

    def fileno(self) -> int | None:
        """The descriptor of its socket while it is open."""
        sock = self._socket()
        return None if sock is None or self.closed or self.shut else sock.fileno()

    def _poll(self) -> int:
        fd = self.stream_fileno()
        if fd is None:
            return 0
        watch = poll()
        watch.register(fd, PEER_CLOSED)
        return sum(events for _, events in watch.poll(0))

    def close(self) -> None:
        """Close the client, in the session's own thread; its exceptions are ignored."""
        self.closed = True
        if self.client is not None:
            with contextlib.suppress(Exception):
                self.client.close()

    def _socket(self) -> socket.socket | None:
        """The client's socket while it is open; while the client is being constructed, the last one that it made."""
        sock = self.client.socket if self.client is not None else self._made[-1] if self._made else None
        return sock if isinstance(sock, socket.socket) and sock.fileno() >= 0 else None


def _has_read(fd: int, inode: int) -> bool:
    """Whether anything was read from a descriptor that was given away; true if the system does not count it."""
    try:
        if os.fstat(fd).st_ino != inode:
            return True
        with socket.socket(fileno=os.dup(fd)) as same:
            known = counts(same)
    except OSError:
        return True
    return known is None or known[1] > 0


def _shut_down(fd: int, inode: int, how: int) -> bool:
    """``shutdown(2)`` on a descriptor that was given away, if it is still the same socket."""
    try:
        if os.fstat(fd).st_ino != inode:
            return False
        with socket.socket(fileno=os.dup(fd)) as same:
            same.shutdown(how)
    except OSError:
        return False
    return True
