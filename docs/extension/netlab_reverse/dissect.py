"""What the reverse server's stream carries: lines."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection, Field

MOST_LINES = 500


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """A field for each line. The last one may wait for its end."""
    begin = 0
    fields: list[Field] = []
    for line in bytes(data[:65536]).splitlines(keepends=True)[:MOST_LINES]:
        end = begin + len(line)
        fields.append(Field(f"line {len(fields) + 1}", begin, end, "text", line.decode("utf-8", "replace").rstrip()))
        begin = end
    return Dissection(tuple(fields), fields[0].value if fields else "empty")
