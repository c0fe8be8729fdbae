"""Ways to read a large payload from a socket, and what each of them copies.

The kernel copies every byte once, from the socket into memory that the program names; that copy is counted as 1. What
a way of reading copies beyond it, and how much memory it holds at its worst, is counted where it happens.
"""

import hashlib
import io
import logging
import mmap
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

LOG = logging.getLogger(__name__)
STORE, DIGEST, FETCH, CONTENT = 1, 2, 3, 4
HEADER = struct.Struct("!BI")
SMALL, LARGE = 1 << 16, 1 << 20
MOST = 1 << 30
MOST_QUADRATIC = 1 << 25


@dataclass
class Transfer:
    """One payload on its way: how much is here, in which pieces it came, and what was copied and held for it.

    ``arrivals`` is the size of each piece; ``copied`` bytes that were copied, the kernel's copy included; ``held`` and
    ``peak`` bytes of memory now and at the worst; ``seconds`` from the first byte asked for to the last one here.
    """

    way: str
    size: int
    arrivals: list[int] = field(default_factory=list)
    filled: int = 0
    copied: int = 0
    held: int = 0
    peak: int = 0
    seconds: float = 0.0

    def arrived(self, count: int) -> int:
        """The kernel copied so many bytes to us; 0 means that the other side closed too early."""
        if count == 0:
            raise EOFError(f"closed after {self.filled:,} of {self.size:,} bytes")
        self.arrivals.append(count)
        self.filled += count
        self.copied += count
        return count

    def hold(self, count: int) -> None:
        """So many more bytes of memory are in use (fewer, where negative)."""
        self.held += count
        self.peak = max(self.peak, self.held)

    def __repr__(self) -> str:
        rate = self.size / self.seconds / 2**20 if self.seconds else 0.0
        times = self.copied / max(self.size, 1)
        return (
            f"{self.way}: {self.size:,} bytes in {self.seconds * 1000:.1f} ms, {rate:,.0f} MiB/s, "
            f"{len(self.arrivals):,} pieces, copied {times:.2f} × its size, peak {self.peak / 2**20:.1f} MiB"
        )


Way = Callable[[socket.socket, Transfer], memoryview]


def concatenate(sock: socket.socket, transfer: Transfer) -> memoryview:
    """``data += piece``: every step copies all that came before, so the cost grows with the square of the size."""
    data = b""
    while len(data) < transfer.size:
        piece = sock.recv(min(transfer.size - len(data), SMALL))
        transfer.hold(transfer.arrived(len(piece)) + len(data) + len(piece))
        transfer.copied += len(data) + len(piece)
        transfer.hold(-len(data) - len(piece))
        data += piece
    return memoryview(data)


def join(sock: socket.socket, transfer: Transfer) -> memoryview:
    """Keep the pieces and join them once at the end: each byte is copied twice, and held twice for a moment."""
    pieces = []
    while transfer.filled < transfer.size:
        piece = sock.recv(min(transfer.size - transfer.filled, SMALL))
        transfer.hold(transfer.arrived(len(piece)))
        pieces.append(piece)
    transfer.hold(transfer.size)
    transfer.copied += transfer.size
    return memoryview(b"".join(pieces))


def into_slice(sock: socket.socket, transfer: Transfer) -> memoryview:
    """The tutorial's way: one buffer, but ``recv`` makes a bytes object that the slice assignment copies again."""
    view = memoryview(bytearray(transfer.size))
    transfer.hold(transfer.size)
    while transfer.filled < transfer.size:
        at = transfer.filled
        piece = sock.recv(min(transfer.size - at, SMALL))
        transfer.hold(transfer.arrived(len(piece)))
        view[at : at + len(piece)] = piece
        transfer.copied += len(piece)
        transfer.hold(-len(piece))
    return view


def recv_into(sock: socket.socket, transfer: Transfer) -> memoryview:
    """The kernel copies into the buffer itself: each byte once, no memory but the buffer."""
    return _fill(sock, transfer, memoryview(bytearray(transfer.size)))


def waitall(sock: socket.socket, transfer: Transfer) -> memoryview:
    """As ``recv_into``, asking the kernel to come back only with everything; it may come back with less."""
    return _fill(sock, transfer, memoryview(bytearray(transfer.size)), transfer.size, socket.MSG_WAITALL)


def readinto(sock: socket.socket, transfer: Transfer) -> memoryview:
    """Through the socket's file interface: large reads pass its buffer by and land in ours."""
    view = memoryview(bytearray(transfer.size))
    transfer.hold(transfer.size)
    with cast("io.BufferedReader", sock.makefile("rb", buffering=SMALL)) as file:
        while transfer.filled < transfer.size:
            transfer.arrived(file.readinto(view[transfer.filled : transfer.filled + LARGE]))
    return view


def huge_pages(sock: socket.socket, transfer: Transfer) -> memoryview:
    """As ``recv_into``, into memory that the kernel gives in 2 MiB pages: 512 times fewer page faults."""
    buffer = mmap.mmap(-1, transfer.size)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        buffer.madvise(mmap.MADV_HUGEPAGE)
    return _fill(sock, transfer, memoryview(buffer))


def _fill(sock: socket.socket, transfer: Transfer, view: memoryview, step: int = LARGE, flags: int = 0) -> memoryview:
    transfer.hold(transfer.size)
    while transfer.filled < transfer.size:
        at = transfer.filled
        transfer.arrived(sock.recv_into(view[at : at + step], 0, flags))
    return view


WAYS: dict[str, Way] = {
    "concatenate": concatenate,
    "join": join,
    "slice": into_slice,
    "recv_into": recv_into,
    "waitall": waitall,
    "readinto": readinto,
    "huge_pages": huge_pages,
}


class Client:
    """A connection to the frame server. What was received last is the buffer that ``view`` and its kin look at."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: logging.Logger = LOG,
        make_socket: Callable[[int, int], socket.socket] = socket.socket,
    ) -> None:
        self._log = log
        self._buffer = memoryview(bytearray())
        self.transfer: Transfer | None = None
        self.socket = make_socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)

    def receive(self, size: int | str, way: str = "recv_into") -> Transfer:
        """Ask for so many bytes (``'64 MiB'``) and read them in one of the ways; what it cost."""
        wanted = parse_size(size)
        if way not in WAYS:
            raise ValueError(f"no way {way!r}; there are {', '.join(WAYS)}")
        if not 0 < wanted <= (MOST_QUADRATIC if way == "concatenate" else MOST):
            raise ValueError(f"{wanted:,} bytes: between 1 and 1 GiB, please, and 32 MiB at most to concatenate")
        self.transfer = transfer = Transfer(way, wanted)
        try:
            self.socket.sendall(HEADER.pack(FETCH, 8) + struct.pack("!Q", wanted))
            self._expect(CONTENT, wanted)
            began = time.perf_counter()
            self._buffer = WAYS[way](self.socket, transfer)
            transfer.seconds = time.perf_counter() - began
        except BaseException:
            self.socket.close()  # the rest of the payload is still on its way: nobody could tell it from an answer
            raise
        return transfer

    def compare(self, size: int | str = "16 MiB") -> list[Transfer]:
        """Receive the same amount in every way, one after the other."""
        wanted = parse_size(size)
        return [self.receive(wanted, way) for way in WAYS if way != "concatenate" or wanted <= MOST_QUADRATIC]

    def send(self, payload: bytes) -> str:
        """Store a payload; the server's SHA-256 of it, compared with ours."""
        return self._store(memoryview(payload))

    def send_file(self, path: str) -> str:
        """Store a file's bytes straight from its mapping; the server's SHA-256, compared with ours."""
        with Path(path).open("rb") as file:
            if Path(path).stat().st_size == 0:
                return self._store(memoryview(b""))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as payload:
                return self._store(payload)

    def view(self, start: int, stop: int) -> str:
        """A slice of the buffer: which bytes it shows, and that it owns none of them."""
        part = self._buffer[start:stop]
        return f"{len(part):,} of the buffer's {len(self._buffer):,} bytes, none of its own: {bytes(part[:64])!r}"

    def copy(self, start: int, stop: int) -> bytes:
        """The same bytes as an object of their own: a later ``write`` does not reach them."""
        return bytes(self._buffer[start : min(stop, start + 4096)])

    def unpack(self, form: str, offset: int = 0) -> tuple[object, ...]:
        """`struct.unpack_from` the buffer: numbers are read where they lie."""
        return struct.unpack_from(form, self._buffer, offset)

    def write(self, offset: int, content: bytes) -> str:
        """Assign to a slice of the view: the buffer itself changes."""
        self._buffer[offset : offset + len(content)] = content
        return self.view(max(offset - 4, 0), offset + len(content) + 4)

    def resize(self, size: int) -> None:
        """Try to change the buffer's length while views of it exist; a `BufferError` is what to expect."""
        owner = self._buffer.obj
        if not isinstance(owner, bytearray):
            raise TypeError(f"a {type(owner).__name__} cannot change its length at all; receive() one into a bytearray")
        if size > len(owner):
            owner.extend(bytes(size - len(owner)))
        else:
            del owner[size:]

    def close(self) -> None:
        """Close the connection and let go of the buffer."""
        self.socket.close()
        self._buffer = memoryview(b"")

    def _store(self, payload: memoryview) -> str:
        self.socket.sendall(HEADER.pack(STORE, len(payload)))
        self.socket.sendall(payload)
        self._expect(DIGEST, 32)
        theirs = self._read(32).hex()
        ours = hashlib.sha256(payload).hexdigest()
        return f"sha256 {theirs}, {'the same as ours' if theirs == ours else f'but ours is {ours}'}"

    def _expect(self, kind: int, length: int) -> None:
        answer = HEADER.unpack(self._read(HEADER.size))
        if answer != (kind, length):
            raise ConnectionError(
                f"expected a frame of type {kind}, length {length:,}; got type {answer[0]}, {answer[1]:,}"
            )

    def _read(self, size: int) -> bytes:
        view = memoryview(bytearray(size))
        return bytes(_fill(self.socket, Transfer("recv_into", size), view))


def parse_size(text: int | str) -> int:
    """Bytes, from a number or words such as ``'64 MiB'``."""
    if isinstance(text, int):
        return text
    number, _, unit = text.strip().partition(" ")
    powers = {"": 0, "B": 0, "KiB": 1, "MiB": 2, "GiB": 3}
    if unit.strip() not in powers or not number.isdigit():
        raise ValueError(f"{text!r} is no size; write 4096 or '64 MiB'")
    return int(number) << 10 * powers[unit.strip()]


if __name__ == "__main__":
    client = Client(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 20001))
    for result in client.compare("16 MiB"):
        print(result)
    client.close()
