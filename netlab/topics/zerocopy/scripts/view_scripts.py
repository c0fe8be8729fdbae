"""The experiments' scripts about views: what they share, what they refuse, and who holds a buffer."""

from __future__ import annotations

import mmap
import socket
import struct
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from netlab.capture.model import Direction
from netlab.topics.experiment import ExperimentLab, Peer, Runner, carried, sent
from netlab.topics.zerocopy.transfer import address_of

if TYPE_CHECKING:
    from netlab.topics.zerocopy.buffer import Slice

EXPORTED = "Existing exports of data: object cannot be re-sized"
RELEASED = "operation forbidden on released memoryview object"
NATIVE = "memoryview: destination format must be a native single character format prefixed with an optional '@'"
READ_ONLY = "cannot modify read-only memory"
ASKED = struct.pack("!BIQ", 3, 8, 65536)
"""A request for 65,536 bytes. The answer has five bytes of header before them."""


def write_through(runner: Runner) -> None:
    """A view and a copy of the same bytes, and what a write does to each."""
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Receive 4096 bytes. Take the first four as a view, buffer[0:4], and as a copy.")
    peer.call("receive", 4096)
    view = cast("Slice", peer.call("view", 0, 4)).view
    copied = peer.call("copy", 0, 4)
    runner.expect("both read the same: 00 01 02 03", lambda: bytes(view) == copied == bytes(range(4)))
    runner.step("Write b'spam' over the first four bytes of the buffer, through a third slice.")
    peer.call("write", 0, b"spam")
    runner.expect("the view, taken before, reads b'spam'",
                 lambda: bytes(view) == b"spam", found=lambda: bytes(view))  # fmt: skip
    runner.expect("the copy has not changed", lambda: copied == bytes(range(4)), found=lambda: copied)
    runner.step("Read them as a number with struct.unpack_from on the buffer.")
    number = peer.call("unpack", "!I", 0)
    runner.expect("1936744813, which is 'spam': struct reads the bytes where they lie",
                 lambda: number == struct.unpack("!I", b"spam"), found=lambda: number)  # fmt: skip


def resize(runner: Runner) -> None:
    """A bytearray with a view, made longer and shorter."""
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Receive 4096 bytes into a bytearray; the client keeps a view of it. Make it longer: resize(8192).")
    peer.call("receive", 4096)
    peer.begin("resize", 8192)
    peer.wait()
    runner.expect("BufferError: Existing exports of data: object cannot be re-sized",
                 lambda: isinstance(peer.outcome, BufferError), found=lambda: peer.outcome)  # fmt: skip
    runner.step("Make it shorter: resize(100).")
    peer.begin("resize", 100)
    peer.wait()
    runner.expect("BufferError again", lambda: isinstance(peer.outcome, BufferError), found=lambda: peer.outcome)
    runner.step("Copy the bytes into a bytearray of our own, make a view of it, and release the view.")
    own = bytearray(cast("bytes", peer.call("copy", 0, 16)))
    view = memoryview(own)
    refused = _append(own)
    view.release()
    runner.expect("append() raises BufferError before the release, and works after it",
                 lambda: isinstance(refused, BufferError) and _append(own) is None)  # fmt: skip


def _append(buffer: bytearray) -> Exception | None:
    """Append a byte; the error that this raises."""
    try:
        buffer.append(0)
    except BufferError as error:
        return error
    return None


def casting(runner: Runner) -> None:
    """The same bytes as numbers, in the machine's byte order and in the network's."""
    peer = runner.lab().connect()
    runner.step(
        "Receive 4096 bytes: 00 01 02 03 … Take v = view(0, 64), and cast it to 16-bit numbers: h = v.cast('H')."
    )
    view = _view(peer, 64)
    numbers = view.cast("H")
    runner.expect("h has 32 elements at v's own address: no byte was copied",
                 lambda: (len(numbers), address_of(numbers)) == (32, address_of(view)))  # fmt: skip
    first = int.from_bytes(b"\x00\x01", sys.byteorder)
    runner.expect(f"h[0] is {first}: the bytes 00 01 in this machine's order, {sys.byteorder}-endian",
                 lambda: numbers[0] == first, found=lambda: numbers[0])  # fmt: skip
    runner.step("Ask for the network's order: v.cast('>H').")
    _expect_error(runner, lambda: view.cast(">H"), ValueError, NATIVE)  # type: ignore[call-overload]  # typeshed knows
    runner.step("Read it with struct, where it lies: struct.unpack_from('>H', v).")
    runner.expect("1, on any machine: the order stands in struct's format",
                 lambda: struct.unpack_from(">H", view) == (1,))  # fmt: skip
    runner.step("Cast the 16-bit numbers on to 32-bit ones: h.cast('I').")
    _expect_error(runner, lambda: numbers.cast("I"), TypeError,
                 "memoryview: cannot cast between two non-byte formats")  # fmt: skip
    runner.expect("by way of bytes it works: h.cast('B').cast('I') has 16 elements",
                 lambda: len(numbers.cast("B").cast("I")) == 16)  # fmt: skip
    runner.step("Cast 63 bytes: v[:63].cast('H').")
    _expect_error(runner, lambda: view[:63].cast("H"), TypeError,
                 "memoryview: length is not a multiple of itemsize")  # fmt: skip


def steps(runner: Runner) -> None:
    """Every second byte as a view, and what takes it."""
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Receive 4096 bytes. Take every second one: v = view(0, 4096), e = v[::2].")
    view = _view(peer, 4096)
    every_second = view[::2]
    runner.expect("e has 2,048 bytes of the same buffer, and its strides are (2,)",
                 lambda: (len(every_second), every_second.strides) == (2048, (2,))
                 and every_second.obj is view.obj)  # fmt: skip
    runner.expect("e begins at v's own address, and v[::-1] at v's last byte: nothing was copied",
                 lambda: [address_of(each[:1]) - address_of(view) for each in (every_second, view[::-1])]
                 == [0, 4095])  # fmt: skip
    runner.step("Write through it: e[0:4] = b'spam'.")
    every_second[0:4] = b"spam"
    runner.expect("v has them two bytes apart: b's\\x01p\\x03a\\x05m\\x07'",
                 lambda: bytes(view[:8]) == b"s\x01p\x03a\x05m\x07", found=lambda: bytes(view[:8]))  # fmt: skip
    runner.step("Cast it, e.cast('H'), then give it to a socket, sock.send(e).")
    _expect_error(runner, lambda: every_second.cast("H"), TypeError,
                 "memoryview: casts are restricted to C-contiguous views")  # fmt: skip
    with lab.dial() as sock:
        _expect_error(runner, lambda: sock.send(every_second), BufferError,
                     "memoryview: underlying buffer is not C-contiguous")  # fmt: skip
    runner.step("Send bytes(e) to the server.")
    peer.call("send", bytes(every_second))
    runner.expect("the 2,048 bytes crossed the wire in a row: bytes(e) is the copy that the view saved until now",
                 lambda: bytes(every_second) in sent(lab))  # fmt: skip


def exports(runner: Runner) -> None:
    """A view that outlives the function that made it, in the traceback of an error that is kept."""
    lab = runner.lab()
    runner.step("Fill a bytearray from a socket, through views. The wire cuts the connection after 1,005 bytes. "
                "Keep the error, to report it later.")  # fmt: skip
    lab.fault("cut after 1005 <-")
    data = bytearray(65541)
    kept = _raised(lambda: _fill(lab.dial(), data))
    runner.expect("EOFError: closed after 1,005 of 65,541 bytes",
                 lambda: str(kept) == "closed after 1,005 of 65,541 bytes", found=lambda: kept)  # fmt: skip
    runner.step("The function has ended. Empty the bytearray for the next message: data.clear().")
    _expect_error(runner, data.clear, BufferError, EXPORTED)
    runner.expect("the error holds its traceback, that a frame, and that a view: rest, 64,536 bytes",
                 lambda: _left_over(kept) == 64536, found=lambda: _left_over(kept))  # fmt: skip
    runner.step("Let go of the traceback: error.__traceback__ = None. Try again.")
    if kept is not None:
        kept.__traceback__ = None
    runner.expect("data.clear() works: frame and view are gone", lambda: _raised(data.clear) is None)
    runner.step("Fill another one, each view in a with block. Keep the error of this cut, too.")
    other = bytearray(65541)
    also_kept = _raised(lambda: _fill_with(lab.dial(), other))
    runner.expect("other.clear() works at once: with has released the views, although the error is kept",
                 lambda: isinstance(also_kept, EOFError) and _raised(other.clear) is None)  # fmt: skip


def released(runner: Runner) -> None:
    """What `release` ends, what it does not, and when it is refused."""
    lab = runner.lab()
    peer = lab.connect()
    runner.step(
        "Put 16 received bytes into a bytearray. Take v = memoryview(data) and part = v[4:8], then v.release()."
    )
    peer.call("receive", 4096)
    data = bytearray(cast("bytes", peer.call("copy", 0, 16)))
    view = memoryview(data)
    part = view[4:8]
    view.release()
    _expect_error(runner, lambda: view[0], ValueError, RELEASED)
    runner.expect("len(v) and bytes(v) raise the same; repr(v) says <released memory at …>",
                 lambda: all(str(_raised(each)) == RELEASED for each in (lambda: len(view), lambda: bytes(view)))
                 and repr(view).startswith("<released memory at "), found=lambda: repr(view))  # fmt: skip
    runner.step("Write through the slice: part[:] = b'spam'.")
    part[:] = b"spam"
    runner.expect("data has the bytes: a slice is a view of its own", lambda: data[4:8] == b"spam")
    runner.step("Append a byte to data.")
    _expect_error(runner, lambda: data.append(0), BufferError, EXPORTED)
    runner.step("part.release(), then append again.")
    part.release()
    runner.expect("data has 17 bytes: its last view is gone", lambda: _raised(lambda: data.append(0)) is None)
    _release_while_received(runner, lab)


def _release_while_received(runner: Runner, lab: ExperimentLab) -> None:
    """A view that the kernel is filling."""
    runner.step("Receive 64 KiB with sock.recv_into(v) in a thread. The wire stalls after 1,005 bytes. v.release().")
    lab.fault("stall after 1005 <-")
    sock = lab.dial()
    sock.settimeout(None)  # one call to the kernel, which waits for everything
    view = memoryview(bytearray(65541))
    receiving = threading.Thread(target=lambda: sock.recv_into(view, 0, socket.MSG_WAITALL), daemon=True)
    sock.sendall(ASKED)
    receiving.start()
    runner.expect("the kernel has written the first bytes", lambda: bytes(view[:5]) == struct.pack("!BI", 4, 65536))
    _expect_error(runner, view.release, BufferError, "memoryview has 1 exported buffer")
    runner.step("Remove the fault. recv_into returns; v.release() again.")
    lab.fault()
    runner.expect("now it works", lambda: not receiving.is_alive() and _raised(view.release) is None)


def mapped_file(runner: Runner) -> None:
    """A read-only view of a file, and of a buffer, and who can still write."""
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Receive 4096 bytes. The capture is a file that the wire writes and this program maps. "
                "Take the payload's segment from it, s, and write: s[0] = 0.")  # fmt: skip
    view = _view(peer, 4)
    segment = next(each.data for each in carried(lab.segments(), Direction.TO_CLIENT) if each.length > 5)
    runner.expect("s is a view of the mapped file: of an mmap, read-only",
                 lambda: isinstance(segment.obj, mmap.mmap) and segment.readonly,
                 found=lambda: segment.obj)  # fmt: skip
    _expect_error(runner, lambda: _set_first(segment), TypeError, READ_ONLY)
    _overwritten_file(runner)
    runner.step("The same with the client's buffer: r = view(0, 4).toreadonly(). Then write(0, b'spam').")
    reading = view.toreadonly()
    _expect_error(runner, lambda: _set_first(reading), TypeError, READ_ONLY)
    peer.call("write", 0, b"spam")
    runner.expect(
        "r reads b'spam': another view wrote it", lambda: bytes(reading) == b"spam", found=lambda: bytes(reading)
    )


def _overwritten_file(runner: Runner) -> None:
    with tempfile.TemporaryFile() as file:
        runner.step("Map a file of your own with mmap.ACCESS_READ and take v = memoryview(mapped). Overwrite the file.")
        file.write(bytes(4096))
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        view = memoryview(mapped)
        file.seek(0)
        file.write(b"spam")
        file.flush()
        runner.expect("v reads b'spam': nothing was read from the file, v shows its memory",
                     lambda: bytes(view[:4]) == b"spam", found=lambda: bytes(view[:4]))  # fmt: skip
        runner.step("Close the mapping while v exists: mapped.close().")
        _expect_error(runner, mapped.close, BufferError, "cannot close exported pointers exist")
        view.release()
        runner.expect("after v.release() it closes", lambda: _raised(mapped.close) is None)


def _view(peer: Peer, size: int) -> memoryview:
    """The first bytes of a received buffer, as the client's own view of it."""
    peer.call("receive", 4096)
    return cast("Slice", peer.call("view", 0, size)).view


def _raised(action: Callable[[], object]) -> Exception | None:
    """What an action raises; None if it succeeds."""
    try:
        action()
    except Exception as error:  # noqa: BLE001 - which one it is, the experiment says
        return error
    return None


def _expect_error(runner: Runner, action: Callable[[], object], kind: type[Exception], words: str) -> None:
    """Expect this error, in CPython's own words."""
    error = _raised(action)
    runner.expect(f"{kind.__name__}: {words}", lambda: type(error) is kind and str(error) == words, found=lambda: error)


def _set_first(view: memoryview) -> None:
    view[0] = 0


def _fill(sock: socket.socket, data: bytearray) -> None:
    """Ask, and receive into each rest of the buffer in turn."""
    sock.sendall(ASKED)
    rest = memoryview(data)
    while rest:
        count = sock.recv_into(rest)
        if count == 0:
            raise EOFError(f"closed after {len(data) - len(rest):,} of {len(data):,} bytes")
        rest = rest[count:]


def _fill_with(sock: socket.socket, data: bytearray) -> None:
    """The same, with views that are released whatever happens."""
    sock.sendall(ASKED)
    filled = 0
    with memoryview(data) as view:
        while filled < len(data):
            with view[filled:] as rest:
                count = sock.recv_into(rest)
            if count == 0:
                raise EOFError(f"closed after {filled:,} of {len(data):,} bytes")
            filled += count


def _left_over(error: Exception | None) -> int:
    """The size of the view that the innermost frame of the error's traceback has as ``rest``."""
    trace = error.__traceback__ if error is not None else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return len(trace.tb_frame.f_locals["rest"]) if trace is not None else 0
