"""What a dissector returns: fields over a run of bytes.

A dissector is a pure, total function ``dissect(data, direction, offset=0)``: any bytes and any truncation give a
`Dissection`, never an exception. It copies nothing but the values that it shows and never executes what it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netlab.capture.model import Direction


@dataclass(frozen=True, slots=True)
class Field:
    """A labelled span: bytes ``start`` to ``end`` (exclusive) of what was dissected, and what they mean.

    ``kind`` names the type in one word (``text``, ``u32``, ``bytes``, ``opcode`` …); ``value`` is its text, not yet
    made safe for the screen.
    """

    name: str
    start: int
    end: int
    kind: str
    value: str
    children: tuple[Field, ...] = ()
    layer: bool = False
    """Whether another protocol's message lies here, within the one around it: a call in a body, a record's text."""


@dataclass(frozen=True, slots=True)
class Dissection:
    """The fields of some bytes.

    ``summary`` is one line for the wire list; ``needs`` is how many more bytes the last message waits for (0: none, or
    unknown; then its field says so), and ``later`` how many bytes have come since; ``problem`` says why the rest was
    left raw, or is empty.
    """

    fields: tuple[Field, ...]
    summary: str = ""
    needs: int = 0
    problem: str = ""
    later: int = 0


Dissector = Callable[[memoryview, Direction, int], Dissection]
"""``data`` (a run of bytes), its direction, and the position of its first byte in that direction's stream."""
