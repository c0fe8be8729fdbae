"""One payload on its way: what has arrived, where it lies in memory, and what that cost."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field

NOTHING = memoryview(b"")


@dataclass
class Transfer:
    """A payload, received in one of the ways.

    ``arrivals`` has the size of each piece; ``copied`` counts the bytes that were copied, the kernel's copy included;
    ``held`` and ``peak`` are bytes of memory, now and at most; ``seconds`` is the time from the request to the last
    byte, ``processor`` the time in which this thread computed, copied, or had the kernel copy for it. ``buffer`` is a
    view of ``owner``, which holds the payload, at ``address``; ``moves`` counts how often it moved elsewhere.
    ``failure`` is what the way raised.
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
    owner: object = b""
    address: int = 0
    moves: int = 0
    failure: str = ""

    def arrived(self, count: int) -> int:
        """Note that the kernel copied so many bytes to us; 0 means that the other side closed too early."""
        if count == 0:
            raise EOFError(f"closed after {self.filled:,} of {self.size:,} bytes")
        self.arrivals.append(count)
        self.filled += count
        self.copied += count
        return count

    def hold(self, count: int) -> None:
        """Note that so many more bytes of memory are in use; fewer if negative."""
        self.held += count
        self.peak = max(self.peak, self.held)

    def place(self, buffer: memoryview) -> memoryview:
        """Note that this buffer holds the payload now."""
        at = address_of(buffer)
        self.moves += self.address not in (0, at)
        self.buffer, self.owner, self.address = buffer, buffer.obj, at
        return buffer

    def __repr__(self) -> str:
        if self.failure:
            return f"{self.way}: {self.failure}"
        rate = self.size / self.seconds / 2**20 if self.seconds else 0.0
        times = self.copied / max(self.size, 1)
        pieces = "1 piece" if len(self.arrivals) == 1 else f"{len(self.arrivals):,} pieces"
        peak = f"{self.peak / 2**20:.1f} MiB" if self.peak >= 1 << 20 else f"{self.peak / 2**10:.1f} KiB"
        return (
            f"{self.way}: {self.size:,} bytes in {self.seconds * 1000:.1f} ms, {rate:,.0f} MiB/s, "
            f"{pieces}, copied {times:.2f} × its size, peak {peak}"
        )


def address_of(view: memoryview) -> int:
    """Where the first byte of a view lies in memory."""
    if not view.nbytes:
        return 0
    if view.readonly:  # ctypes takes no read-only buffer; CPython keeps a bytes object's bytes at its end
        return id(view.obj) + bytes.__basicsize__ - 1
    return ctypes.addressof(ctypes.c_char.from_buffer(view))
