"""The experiments' scripts about views: what they share, what they refuse, and who holds a buffer."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from netlab.topics.experiment import Runner

if TYPE_CHECKING:
    from netlab.topics.zerocopy.buffer import Slice


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
