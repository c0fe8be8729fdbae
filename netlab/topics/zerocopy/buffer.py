"""A buffer and what can be done with it: views share its bytes, copies do not."""

import struct
from collections.abc import Callable

from netlab.topics.zerocopy.transfer import NOTHING, Transfer, address_of

MOST = 4096
"""The most bytes that are copied to be compared."""
EMPTY = "the buffer is empty; call receive() first"


class Slice:
    """A slice of a buffer, and where it lies: a view, which owns nothing."""

    def __init__(self, buffer: memoryview, start: int, stop: int) -> None:
        self.view = buffer[start:stop]
        self._buffer, self._start = buffer, slice(start, stop).indices(len(buffer))[0]

    def __repr__(self) -> str:
        at = address_of(self._buffer) + self._start
        return (
            f"{bytes(self.view[:64])!r}\nmemoryview of {len(self.view):,} bytes at {at:#x}, "
            f"byte {self._start:,} of the buffer; it owns none"
        )


class Buffered:
    """Holds what was received last."""

    needs_no_looks = ("resize",)

    def __init__(self, log: Callable[[str], None]) -> None:
        self.transfer = Transfer("", 0)
        self._log = log
        self._copy = (0, b"")

    @property
    def buffer(self) -> memoryview:
        """What was received last, also while it is still arriving."""
        return self.transfer.buffer

    @property
    def owner(self) -> object:
        """The object whose bytes the buffer shows; it is known also after the view of it was released."""
        return self.transfer.owner

    @property
    def arrivals(self) -> list[int]:
        """The size of each piece of the buffer that has arrived."""
        return self.transfer.arrivals

    def view(self, start: int, stop: int) -> Slice:
        """A slice of the buffer: which bytes it shows, and that it owns none of them."""
        return Slice(self._filled(), start, stop)

    def copy(self, start: int, stop: int) -> bytes:
        """The same bytes as an object of their own: a later ``write`` does not reach them."""
        self._copy = (start, bytes(self._filled()[start : min(stop, start + MOST)]))
        self._log(f"{len(self._copy[1])} bytes of its own, at {address_of(memoryview(self._copy[1])):#x}")
        return self._copy[1]

    def unpack(self, form: str, offset: int = 0) -> tuple[object, ...]:
        """`struct.unpack_from` the buffer: numbers are read where they lie."""
        numbers = struct.unpack_from(form, self._filled(), offset)
        self._compare_slicing(struct.calcsize(form), offset)
        return numbers

    def write(self, offset: int, content: bytes) -> Slice:
        """Assign to a slice of the view: the buffer itself changes."""
        buffer, end = self._filled(), offset + len(content)
        if not 0 <= offset <= end <= len(buffer):
            raise ValueError(f"bytes {offset:,} to {end:,} are not in the buffer, which has {len(buffer):,}")
        buffer[offset:end] = content
        self._log("written through a slice: the buffer that it shows has changed")
        if (copied := self._copy[1]) and 0 <= offset - self._copy[0] < len(copied):
            self._log(f"copy({self._copy[0]}, …), made before, still holds {copied[:64]!r}")
        return self.view(max(offset - 4, 0), end + 4)

    def resize(self, size: int) -> None:
        """Change the buffer's length: expect a `BufferError` while views of it exist. The client itself has one."""
        owner = self.owner
        if self.buffer is NOTHING:
            raise ValueError(EMPTY)
        if not isinstance(owner, bytearray):
            kind = type(owner).__name__
            raise TypeError(f"the length of a {kind} cannot change at all; receive('1 MiB') makes a bytearray")
        try:
            if size > len(owner):
                owner.extend(bytes(min(size, 1 << 30) - len(owner)))
            else:
                del owner[size:]
        except BufferError:
            self._log("views of it exist: a longer one may have to move, and they would show freed memory")
            raise
        self.transfer.place(memoryview(owner))  # the view before was released, or this would have been refused

    def _compare_slicing(self, size: int, offset: int) -> None:
        """Note where the bytes of a number lie, and where a slice of ``bytes`` would put them first."""
        if 0 < size <= MOST:
            first = range(len(self.buffer))[offset]
            sliced = memoryview(bytes(self.buffer[first : first + size]))
            at, copied_to = address_of(self.buffer) + first, address_of(sliced)
            self._log(f"read at {at:#x}; unpack(…, data[{first}:{first + size}]) first copies bytes, to {copied_to:#x}")

    def _filled(self) -> memoryview:
        if self.buffer is NOTHING:
            raise ValueError(EMPTY)
        return self.buffer
