"""Messages with their length in front, as multiprocessing.connection frames them. It does not know what is in them.

The length is a signed big-endian i32; -1 says that it is in the u64 that follows (Lib/multiprocessing/connection.py,
``Connection._send_bytes``).
"""

from __future__ import annotations

from dataclasses import dataclass

from netlab.dissect.field_reader import FieldReader
from netlab.dissect.fields import Field

LONG_FORM = 0xFFFFFFFF


class NoLength(Exception):
    """There is something else where a length should be."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: its prefix is ``start`` to ``body``, the message ``body`` to ``end``, as far as it is here."""

    start: int
    body: int
    end: int

    def prefix(self) -> Field:
        """The field of the length."""
        kind = "i32" if self.body - self.start == 4 else "i32 -1, u64"
        return Field("length", self.start, self.body, kind, f"{self.end - self.body:,}")


def read_frame(data: memoryview, at: int) -> Frame:
    """The message whose prefix begins at ``at``; `Short` if the prefix is incomplete, `NoLength` if it is bad."""
    reader = FieldReader(data, at)
    length = reader.number(4)
    if length == LONG_FORM:
        length = reader.number(8)
    elif length >= 1 << 31:
        raise NoLength(f"{length - (1 << 32):,} is not a length")
    return Frame(at, reader.at, reader.at + length)
