"""HMAC: 32 bytes of challenge or digest at the beginning of each direction, then the echo."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.field_reader import FieldReader
from netlab.dissect.fields import Dissection, Field

LENGTH = 32
NAMES = {Direction.TO_CLIENT: "challenge", Direction.TO_SERVER: "digest"}
PREVIEW = 256


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """The handshake's 32 bytes, or what of them lies behind ``offset``, and the payload after them."""
    reader = FieldReader(data)
    fields: list[Field] = []
    wanted = max(0, LENGTH - offset)
    if wanted and data:
        fields.append(reader.part(min(wanted, len(data))).rest(NAMES[direction]))
    if reader.left:
        fields.append(_payload(reader))
    return Dissection(tuple(fields), ", ".join(map(_shown, fields)), max(0, wanted - len(data)) if data else 0)


def _payload(reader: FieldReader) -> Field:
    """Text where it is UTF-8, else bytes."""
    view = reader.data[reader.at : reader.at + PREVIEW]
    more = "…" if reader.left > PREVIEW else ""
    for cut in range(4 if more else 1):  # a preview may end within a character
        try:
            return reader.rest("payload", "text", repr(str(view[: len(view) - cut], "utf-8")) + more)
        except UnicodeDecodeError:
            continue
    return reader.rest("payload")


def _shown(field: Field) -> str:
    return field.value if field.kind == "text" else f"{field.name} {field.value[:16]}…"
