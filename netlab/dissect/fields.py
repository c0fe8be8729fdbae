"""What a dissector returns: fields over a run of bytes, or over bytes that were derived from them.

A stateless dissector is a pure, total function ``dissect(data, direction, offset=0)``: any bytes and any truncation
give a `Dissection`, never an exception. It copies nothing but the values that it shows and never executes what it
reads. `netlab.dissect.flow` has the other kind, which follows a flow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netlab.capture.model import Direction

MOST_DERIVED = 1 << 20
"""A derived buffer holds at most so many bytes …"""
MOST_GROWTH = 64
"""… and at most so many times the bytes that it came from."""


@dataclass(frozen=True, slots=True)
class Derived:
    """Bytes that did not cross the wire in this form: put together, unpacked or decrypted. A tab of the bytes pane.

    ``name`` names them in a word or two (``unpacked body``), ``came_from`` is how many bytes they were made from. What
    is longer than `most_derived` allows is cut, and ``cut`` says how many bytes that were.
    """

    name: str
    data: bytes
    came_from: int
    cut: int = 0

    def __post_init__(self) -> None:
        most = most_derived(self.came_from)
        if len(self.data) > most:
            object.__setattr__(self, "cut", self.cut + len(self.data) - most)
            object.__setattr__(self, "data", bytes(self.data[:most]))


def most_derived(came_from: int) -> int:
    """How many bytes may be derived from so many."""
    return min(MOST_DERIVED, MOST_GROWTH * came_from)


@dataclass(frozen=True, slots=True)
class Field:
    """A labelled span: bytes ``start`` to ``end`` (exclusive) of what was dissected, and what they mean.

    ``kind`` names the type in one word (``text``, ``u32``, ``bytes``, ``opcode`` …); ``value`` is its text, not yet
    made safe for the screen. With a ``buffer``, the span lies in that buffer instead; so do its children's, unless
    they name another.
    """

    name: str
    start: int
    end: int
    kind: str
    value: str
    children: tuple[Field, ...] = ()
    layer: bool = False
    """Whether another protocol's message lies here, within the one around it: a call in a body, a record's text."""
    buffer: Derived | None = None


@dataclass(frozen=True, slots=True)
class Dissection:
    """The fields of some bytes.

    ``summary`` is one line for the wire list; ``needs`` is how many more bytes the last message waits for (0: none, or
    unknown; then its field says so), and ``later`` how many bytes have come since; ``problem`` says why the rest was
    left raw, or is empty.

    ``taken`` is for flow dissectors: how many of the bytes are done with; the others come again, together with those
    that follow. None: all of them, or all but the last field if ``needs`` says that it waits.
    """

    fields: tuple[Field, ...]
    summary: str = ""
    needs: int = 0
    problem: str = ""
    later: int = 0
    taken: int | None = None

    def done(self, length: int) -> int:
        """How many of ``length`` bytes are done with."""
        if self.taken is not None:
            return min(max(self.taken, 0), length)
        if not self.needs:
            return length
        return min(max(self.fields[-1].start, 0), length) if self.fields else 0


Dissector = Callable[[memoryview, Direction, int], Dissection]
"""``data`` (a run of bytes), its direction, and the position of its first byte in that direction's stream."""
