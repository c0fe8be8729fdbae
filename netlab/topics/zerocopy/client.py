"""Ways to read a large payload from a socket, and what each of them copies.

The kernel copies every byte once, from the socket into memory that the program names; that copy is counted as 1. What
a way of reading copies beyond it, and how much memory it holds at its worst, is counted where it happens.
"""

import argparse
import ctypes
import hashlib
import io
import logging
import mmap
import socket
import struct
import textwrap
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)
STORE, DIGEST, FETCH, CONTENT = 1, 2, 3, 4
HEADER = struct.Struct("!BI")
SMALL, LARGE = 1 << 16, 1 << 20
MOST = 1 << 30
MOST_QUADRATIC = 1 << 25
HUGE = 1 << 25
"""From here on huge pages are taken: for less, a fresh mapping costs more than they save."""
RUNS = {1 << 20: 31, 1 << 21: 15, 1 << 24: 9, 1 << 26: 5, 1 << 28: 3}
"""How often a comparison runs each way, up to which size; once beyond. An odd number has a median.

Up to 2 MiB all of it fits into the capture of a lab.
"""
RUNS_QUADRATIC = 1
NOTHING = memoryview(b"")


@dataclass
class Transfer:
    """One payload on its way: how much is here, in which pieces it came, and what was copied and held for it.

    ``arrivals`` is the size of each piece; ``copied`` bytes that were copied, the kernel's copy included; ``held`` and
    ``peak`` bytes of memory now and at the worst; ``seconds`` from the first byte asked for to the last one here, and
    ``processor`` those in which this thread computed, copied, or had the kernel copy for it.
    ``buffer`` is where the payload stands, and ``address`` where that lies in memory; ``moves`` counts how often it had
    to be put elsewhere. ``failure`` is what the way raised, where it did.
    """

    way: str
    size: int
    arrivals: list[int] = field(default_factory=list)
    filled: int = 0
    copied: int = 0
    held: int = 0
    peak: int = 0
    seconds: float = 0.0
    processor: float = 0.0
    buffer: memoryview = NOTHING
    address: int = 0
    moves: int = 0
    failure: str = ""

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

    def place(self, buffer: memoryview) -> memoryview:
        """The payload stands here now."""
        at = address_of(buffer)
        self.moves += self.address not in (0, at)
        self.buffer, self.address = buffer, at
        return buffer

    def __repr__(self) -> str:
        if self.failure:
            return f"{self.way}: {self.failure}"
        rate = self.size / self.seconds / 2**20 if self.seconds else 0.0
        times = self.copied / max(self.size, 1)
        pieces = "1 piece" if len(self.arrivals) == 1 else f"{len(self.arrivals):,} pieces"
        return (
            f"{self.way}: {self.size:,} bytes in {self.seconds * 1000:.1f} ms, {rate:,.0f} MiB/s, "
            f"{pieces}, copied {times:.2f} × its size, peak {self.peak / 2**20:.1f} MiB"
        )


class Comparison(list[Transfer]):
    """The same payload, received several times in each way: of each the last transfer, with the medians of its times.

    ``runs`` is how often the ways ran that ran most often; ``now`` the transfer that runs, or ran last.
    """

    def __init__(self, transfers: Iterable[Transfer] = ()) -> None:
        super().__init__()
        self.runs, self.now = 0, Transfer("", 0)
        self._times: dict[str, list[tuple[float, float]]] = {}
        for each in transfers:
            self.add(each)

    def add(self, transfer: Transfer) -> None:
        """One run more."""
        times = self._times.setdefault(transfer.way, [])
        times.append((transfer.seconds, transfer.processor))
        self.runs = max(self.runs, len(times))
        seconds, processor = (sorted(column)[len(times) // 2] for column in zip(*times, strict=True))
        found = replace(transfer, buffer=NOTHING, seconds=seconds, processor=processor)
        self[:] = sorted([found, *(each for each in self if each.way != found.way)], key=lambda each: ORDER[each.way])

    def in_the_way(self) -> str:
        """What the times are of, in one sentence."""
        slow = " (concatenate: one)" if any(each.way in QUADRATIC for each in self) else ""
        runs = f"medians of {self.runs} interleaved runs{slow}" if self.runs > 1 else "one run each"
        return (
            f"{runs}; time also counts what is in the way (server, relay, screen, all on the same processors), "
            "cpu only this thread's own work"
        )

    def __repr__(self) -> str:
        lines = [f"{'way':<15} {'cpu ms':>6} {'time':>6} {'copied':>6} {'peak':>5}"]
        for each in self:
            times = f"{_figure(each.processor * 1000):>6} {_figure(each.seconds * 1000):>6}"
            cost = f"{times} {_figure(each.copied / each.size):>5}× {each.peak / each.size:4.2f}×"
            lines.append(f"{each.way:<15} {each.failure or cost}")
        return "\n".join([*lines, *textwrap.wrap(self.in_the_way(), 42)])


def _figure(value: float) -> str:
    """Five characters at most, where that is enough: 1.04, 12.35, 130.0, 1249."""
    return f"{value:.2f}" if value < 100 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


Way = Callable[[socket.socket, Transfer], memoryview]


class Watched:
    """A socket for code that is only quoted: counts what it reads, and breaks the endless loop after an early close."""

    def __init__(self, sock: socket.socket, transfer: Transfer) -> None:
        self._sock, self._transfer = sock, transfer

    def recv(self, size: int) -> bytes:
        """As ``socket.recv``, but an early end is an `EOFError`."""
        piece = self._sock.recv(size)
        self._transfer.hold(self._transfer.arrived(len(piece)))
        self._transfer.hold(-len(piece))
        return piece


def tutorial_concatenate(socket_: socket.socket, transfer: Transfer) -> memoryview:
    """The tutorial's first ``read`` as it stands: text plus bytes, a `TypeError` since Python 3."""
    sock = Watched(socket_, transfer)

    def read(size: int) -> Any:
        ret: Any = ""
        remain = size
        while True:
            data = sock.recv(remain)
            ret += data
            if len(data) == remain:
                break
            remain -= len(data)
        return ret

    return memoryview(read(transfer.size))


def tutorial_slices(socket_: socket.socket, transfer: Transfer) -> memoryview:
    """The tutorial's second ``read`` as it stands: works, copies twice, and would never end after an early close."""
    sock = Watched(socket_, transfer)

    def read(size: int) -> memoryview:
        ret = memoryview(bytearray(size))
        transfer.hold(len(transfer.place(ret)))  # ours: to be seen while it fills
        remain = size
        while True:
            data = sock.recv(remain)
            length = len(data)
            ret[size - remain : size - remain + length] = data
            if len(data) == remain:
                break
            remain -= len(data)
        return ret

    filled = read(transfer.size)
    transfer.copied += len(filled)  # the slice assignments
    return filled


def concatenate(sock: socket.socket, transfer: Transfer) -> memoryview:
    """The first one repaired. Each ``+=`` copies all that came before: the cost grows with the square of the size."""
    data = b""
    while len(data) < transfer.size:
        piece = sock.recv(min(transfer.size - len(data), SMALL))
        transfer.hold(transfer.arrived(len(piece)) + len(data) + len(piece))
        transfer.copied += len(data) + len(piece)
        transfer.hold(-len(data) - len(piece))
        data += piece
        transfer.place(memoryview(data))
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
    return transfer.place(memoryview(b"".join(pieces)))


def into_slice(sock: socket.socket, transfer: Transfer) -> memoryview:
    """The second one repaired: one buffer, but ``recv`` makes a bytes object that the slice assignment copies again."""
    view = transfer.place(memoryview(bytearray(transfer.size)))
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
    return fill(sock, transfer, memoryview(bytearray(transfer.size)))


def waitall(sock: socket.socket, transfer: Transfer) -> memoryview:
    """As ``recv_into``, asking the kernel to come back only with everything; it may come back with less."""
    return fill(sock, transfer, memoryview(bytearray(transfer.size)), transfer.size, socket.MSG_WAITALL)


class Pieces(io.RawIOBase):
    """What ``sock.makefile("rb", buffering=0)`` is, counting what it reads: known also when reading ends early."""

    def __init__(self, sock: socket.socket, transfer: Transfer) -> None:
        self._sock, self._transfer = sock, transfer

    def readable(self) -> bool:
        """It is made to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """One piece; in a buffer of no more than the file's own it will be copied once more."""
        count = self._transfer.arrived(self._sock.recv_into(buffer))
        self._transfer.copied += count if len(buffer) <= SMALL else 0
        return count


def readinto(sock: socket.socket, transfer: Transfer) -> memoryview:
    """Through a buffered file over the socket: large reads pass its buffer by and land in ours, the last few do not."""
    view = transfer.place(memoryview(bytearray(transfer.size)))
    transfer.hold(transfer.size + SMALL)
    io.BufferedReader(Pieces(sock, transfer), SMALL).readinto(view)
    transfer.hold(-SMALL)
    return view


def huge_pages(sock: socket.socket, transfer: Transfer) -> memoryview:
    """As ``recv_into``, from 32 MiB on into memory in pages of 2 MiB: 512 times fewer page faults."""
    if not hasattr(mmap, "MADV_HUGEPAGE") or transfer.size < HUGE:
        return recv_into(sock, transfer)
    buffer = mmap.mmap(-1, transfer.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # shared memory has small pages
    buffer.madvise(mmap.MADV_HUGEPAGE)
    return fill(sock, transfer, memoryview(buffer))


def fill(sock: socket.socket, transfer: Transfer, view: memoryview, step: int = LARGE, flags: int = 0) -> memoryview:
    """Fill the view in place, from its first byte to its last."""
    transfer.hold(transfer.size)
    transfer.place(view)
    while transfer.filled < transfer.size:
        at = transfer.filled
        transfer.arrived(sock.recv_into(view[at : at + step], 0, flags))
    return view


WAYS: dict[str, Way] = {
    "tutorial_concatenate": tutorial_concatenate,
    "tutorial_slices": tutorial_slices,
    "concatenate": concatenate,
    "join": join,
    "slice": into_slice,
    "recv_into": recv_into,
    "waitall": waitall,
    "readinto": readinto,
    "huge_pages": huge_pages,
}
ORDER = {way: place for place, way in enumerate(WAYS)}
QUADRATIC = ("tutorial_concatenate", "concatenate")


def turns(size: int) -> list[str]:
    """The ways in the order in which a comparison runs them: each turn begins with another one."""
    runs = next((runs for most, runs in RUNS.items() if size <= most), 1)
    names = [way for way in WAYS if way not in QUADRATIC or size <= MOST_QUADRATIC]
    plan = []
    for turn in range(runs):
        first = (runs - 1 - turn) % len(names)
        plan += [way for way in names[first:] + names[:first] if way not in QUADRATIC or turn < RUNS_QUADRATIC]
    return plan


def address_of(view: memoryview) -> int:
    """Where the first byte of a view lies in memory."""
    if not view.nbytes:
        return 0
    if view.readonly:  # ctypes takes no read-only buffer; CPython keeps a bytes object's bytes at its end
        return id(view.obj) + bytes.__basicsize__ - 1
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


class Slice:
    """A slice of a buffer, and where it lies: a view, which owns nothing."""

    def __init__(self, buffer: memoryview, start: int, stop: int) -> None:
        self.view = buffer[start:stop]
        self._buffer, self._start = buffer, slice(start, stop).indices(len(buffer))[0]

    def __repr__(self) -> str:
        at = address_of(self._buffer) + self._start
        return (
            f"{bytes(self.view[:64])!r}\nmemoryview of {len(self.view):,} bytes at {at:#x}, which is byte "
            f"{self._start:,} of the buffer's {len(self._buffer):,}; it owns none of them"
        )


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
        self._owed = 0  # bytes that the server has yet to send, also for a call that was abandoned
        self._copy = (0, b"")
        self.transfer = Transfer("", 0)
        self.compared = Comparison()
        self._compared = (0, 0)  # bytes of the comparison that runs: received before this transfer, and in all
        self.socket = make_socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        # a payload follows its header: without this, a short one waits until that is acknowledged, 40 ms
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.socket.connect(address)

    @property
    def buffer(self) -> memoryview:
        """What was received last, also while it is still arriving."""
        return self.transfer.buffer

    @property
    def arrivals(self) -> list[int]:
        """The size of each piece of the buffer that has arrived."""
        return self.transfer.arrivals

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes that are here, and bytes that were asked for; of all its transfers while a comparison runs."""
        done, total = self._compared
        return (done + self.transfer.filled, total) if total else (self.transfer.filled, self.transfer.size)

    def receive(self, size: int | str, way: str = "recv_into") -> Transfer:
        """Ask for so many bytes (``'64 MiB'``) and read them in one of the ways; what it cost."""
        wanted = parse_size(size)
        if way not in WAYS:
            raise ValueError(f"no way {way!r}; there are {', '.join(WAYS)}")
        if not 0 < wanted <= (MOST_QUADRATIC if way in QUADRATIC else MOST):
            raise ValueError(f"{wanted:,} bytes: between 1 and 1 GiB, please, and 32 MiB at most to concatenate")
        self._throw_away_owed()
        self.transfer = transfer = Transfer(way, wanted)  # and the buffer before is let go
        if self._compared[1]:
            self.compared.now = transfer
        self._send(HEADER.pack(FETCH, 8) + struct.pack("!Q", wanted))
        self._expect(CONTENT, wanted)
        began, worked = time.perf_counter(), time.thread_time()
        try:
            transfer.buffer = WAYS[way](self.socket, transfer)
        except Exception as error:
            transfer.failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            transfer.seconds, transfer.processor = time.perf_counter() - began, time.thread_time() - worked
            self._owed -= transfer.filled
        return transfer

    def compare(self, size: int | str = "1 MiB") -> Comparison:
        """Receive the same amount in every way, in turns, so that a busy moment meets all of them; the medians."""
        wanted = parse_size(size)
        self.compared = Comparison()
        plan = turns(wanted)
        try:
            for number, way in enumerate(plan):
                self._compared = (number * wanted, len(plan) * wanted)
                self._compare(wanted, way)
        finally:
            self._compared = (0, 0)
        return self.compared

    def _compare(self, wanted: int, way: str) -> None:
        """One run of one way. What the tutorial's first function raises belongs to the comparison."""
        try:
            self.receive(wanted, way)
        except TypeError:
            self._log.debug("%s raised %s", way, self.transfer.failure)
        self.compared.add(self.transfer)

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

    def view(self, start: int, stop: int) -> Slice:
        """A slice of the buffer: which bytes it shows, and that it owns none of them."""
        return Slice(self.buffer, start, stop)

    def copy(self, start: int, stop: int) -> bytes:
        """The same bytes as an object of their own: a later ``write`` does not reach them."""
        self._copy = (start, bytes(self.buffer[start : min(stop, start + 4096)]))
        self._log.info("%d bytes of its own, at %#x", len(self._copy[1]), address_of(memoryview(self._copy[1])))
        return self._copy[1]

    def unpack(self, form: str, offset: int = 0) -> tuple[object, ...]:
        """`struct.unpack_from` the buffer: numbers are read where they lie."""
        return struct.unpack_from(form, self.buffer, offset)

    def write(self, offset: int, content: bytes) -> Slice:
        """Assign to a slice of the view: the buffer itself changes."""
        if not 0 <= offset <= len(self.buffer) - len(content):
            end = offset + len(content)
            raise ValueError(f"bytes {offset:,} to {end:,} are not in the buffer, which has {len(self.buffer):,}")
        part = self.buffer[offset : offset + len(content)]
        part[:] = content
        self._log.info("written through a slice: the buffer that it shows has changed")
        if (copied := self._copy[1]) and 0 <= offset - self._copy[0] < len(copied):
            self._log.info("copy(%d, …) made before still holds %r", self._copy[0], copied[:64])
        return self.view(max(offset - 4, 0), offset + len(content) + 4)

    def resize(self, size: int) -> None:
        """Try to change the buffer's length while views of it exist; a `BufferError` is what to expect."""
        owner = self.buffer.obj
        if not isinstance(owner, bytearray):
            raise TypeError(f"a {type(owner).__name__} cannot change its length at all; receive() one into a bytearray")
        try:
            if size > len(owner):
                owner.extend(bytes(min(size, MOST) - len(owner)))
            else:
                del owner[size:]
        except BufferError:
            self._log.info("views of it exist: a longer one may have to move, and they would show freed memory")
            raise

    def close(self) -> None:
        """Close the connection and let go of the buffer."""
        self.socket.close()
        self.transfer = Transfer("", 0)

    def _store(self, payload: memoryview) -> str:
        self._throw_away_owed()
        self._send(HEADER.pack(STORE, len(payload)))
        self._send(payload)
        self._expect(DIGEST, 32)
        theirs = self._read(32).hex()
        ours = hashlib.sha256(payload).hexdigest()
        return f"sha256 {theirs}, {'the same as ours' if theirs == ours else f'but ours is {ours}'}"

    def _send(self, message: bytes | memoryview) -> None:
        try:
            self.socket.sendall(message)
        except BaseException:
            self.socket.close()  # the server waits for the rest: whatever came next, it would take for that
            raise

    def _expect(self, kind: int, length: int) -> None:
        self._owed = HEADER.size + length
        answer = HEADER.unpack(self._read(HEADER.size))
        if answer != (kind, length):
            raise ConnectionError(
                f"expected a frame of type {kind}, length {length:,}; got type {answer[0]}, {answer[1]:,}"
            )

    def _read(self, size: int) -> bytes:
        read = bytearray(size)
        view = memoryview(read)
        while view:
            count = self.socket.recv_into(view)
            if count == 0:
                raise EOFError(f"closed with {self._owed:,} bytes of the answer unsent")
            self._owed -= count
            view = view[count:]
        return bytes(read)

    def _throw_away_owed(self) -> None:
        """What is left of an answer that was given up would be taken for the next one."""
        if self._owed:
            self._log.info("%s bytes of the answer that was given up are thrown away first", f"{self._owed:,}")
        while self._owed:
            self._read(min(self._owed, LARGE))


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
    parser = argparse.ArgumentParser(description="compares the ways of receiving 1 MiB")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=20001)
    arguments = parser.parse_args()
    client = Client((arguments.host, arguments.port))
    print(client.compare("1 MiB"))
    client.close()
