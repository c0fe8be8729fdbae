"""TLS records, and in clear what the handshake says (RFC 8446 and RFC 5246).

From the change of ciphers on (1.2), or the server's hello on (1.3), records hold ciphertext and are left closed. Only a
hello may follow a change of ciphers in clear: the second one, where 1.3 asks for another key share (RFC 8446, D.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from netlab.capture.model import Direction
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import Run
from netlab.dissect.tls import tls_names as names
from netlab.dissect.tls.handshake import CLIENT_HELLO, HELLO_REQUEST, SERVER_HELLO, handshake_message

HEADER = 5
MOST_RECORDS = 4096
MOST_LENGTH = (1 << 14) + 2048
TEXT_SHOWN = 200
MOST_MESSAGE = 1 << 17
"""A handshake message that announces more bytes is none: no certificate chain comes near."""
LONGEST_HELLO = 1 << 16
"""Where the bytes before are missing: so far into a stream, records are encrypted."""
MOST_FIELDS = 20_000
"""Fields within records; when there are more, the contents of further ones are left closed."""
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CIPHERTEXT = "ciphertext"
"""The field of a record that is left closed."""


@dataclass(slots=True)
class _Stream:
    """What the records so far say about the next: whether it is encrypted, and what continues in it."""

    encrypted: bool = False
    unfinished: str = ""
    missing: int = 0
    """Bytes that the ``unfinished`` handshake message still waits for."""
    begun: bytes = b""
    """What is here of a message whose own header is cut."""
    fields: int = 0


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """The records of one direction, from a record's first byte on."""
    return _read_records(data, _Stream(), begins=not offset)


class TlsFlow:
    """One connection: from the change of ciphers on, its records are encrypted, however long ago that was."""

    def __init__(self) -> None:
        self._streams = {way: _Stream() for way in Direction}

    def feed(self, run: Run) -> Dissection:
        """The records in a run of bytes. An incomplete one comes again."""
        stream = self._streams[run.direction]
        if run.lost:
            stream = self._streams[run.direction] = _Stream(encrypted=stream.encrypted or run.offset > LONGEST_HELLO)
        stream.fields = 0
        return _read_records(run.data, stream, begins=not run.lost)


def _read_records(data: memoryview, stream: _Stream, begins: bool) -> Dissection:
    """The records in some bytes; ``begins``: one surely begins with the first. What they say is kept in ``stream``."""
    reader = FieldReader(data)
    records: list[Field] = []
    while reader.left and len(records) < MOST_RECORDS:
        start = reader.at
        problem = _not_a_record(data, start)
        if problem:
            if not begins and not records:
                problem = "these bytes begin within a record: follow the stream to see it whole"
            raw = Field("raw", start, len(data), "bytes", FieldReader(data, start).hex())
            return Dissection((*records, raw), _summary(records, data) or "no TLS", problem=problem)
        try:
            kind, version, body = reader.number(1), reader.number(2), reader.vector(2)
        except Short as short:
            partial = _partial(data, start, short)
            begun = [*records, replace(partial, value=_begun(data, start, stream))]
            return Dissection((*records, partial), _summary(begun, data), short.missing, taken=start)
        records.append(_record(start, kind, version, body, stream))
        stream.encrypted = stream.encrypted or kind == CHANGE_CIPHER_SPEC
    if not reader.left:
        return Dissection(tuple(records), _summary(records, data))
    rest = reader.at
    records.append(reader.rest("rest"))
    problem = f"only the first {MOST_RECORDS:,} records are read"
    return Dissection(tuple(records), _summary(records[:-1], data), problem=problem, taken=rest)


def dissect_content(kind: int, content: memoryview) -> tuple[Field, ...]:
    """The fields of what one record carried in clear."""
    if kind == APPLICATION_DATA:
        return (Field("text", 0, len(content), "text", repr(bytes(content[:TEXT_SHOWN]))[1:]),) if content else ()
    return CONTENTS.get(kind, _opaque)(FieldReader(content), _Stream())


def _not_a_record(data: memoryview, start: int) -> str:
    """Why no record can begin here, according to its header; empty if one can."""
    if data[start] not in names.RECORDS:
        return f"no TLS record begins with byte {data[start]}: is this plain text?"
    if start + 1 < len(data) and data[start + 1] != 3:
        return f"no TLS record has major version {data[start + 1]}"
    if start + HEADER <= len(data):
        length = int.from_bytes(data[start + 3 : start + 5], "big")
        if length > MOST_LENGTH:
            return f"a record of {length:,} bytes is longer than TLS allows"
    return ""


def _partial(data: memoryview, start: int, short: Short) -> Field:
    name = names.RECORDS[data[start]]
    children: tuple[Field, ...] = ()
    if len(data) - start >= HEADER:
        reader = FieldReader(data, start)
        kind, version, length = reader.number(1), reader.number(2), reader.number(2)
        children = (*_header(start, kind, version, length), *((reader.rest("begin of it"),) if reader.left else ()))
    return Field(name, start, len(data), "record", f"waits for {short.missing:,} bytes", children)


def _begun(data: memoryview, start: int, stream: _Stream) -> str:
    """What an incomplete record will say, as far as its beginning shows."""
    if start + HEADER > len(data):
        return ""
    if data[start] == HANDSHAKE and not stream.encrypted and not stream.missing and start + HEADER < len(data):
        return names.name_of(names.HANDSHAKES, data[start + HEADER])
    return f"{int.from_bytes(data[start + 3 : start + HEADER], 'big'):,} bytes"


def _record(start: int, kind: int, version: int, body: FieldReader, stream: _Stream) -> Field:
    length, end = body.left, body.end
    header = _header(start, kind, version, length)
    if not _in_clear(kind, body, stream):
        content: tuple[Field, ...] = (body.rest(CIPHERTEXT),)
        return Field(names.RECORDS[kind], start, end, "record", f"{length:,} bytes, encrypted", header + content)
    if stream.fields > MOST_FIELDS:
        content = (body.rest("content"),)
        return Field(names.RECORDS[kind], start, end, "record", f"{length:,} bytes, not read", header + content)
    content = CONTENTS.get(kind, _opaque)(body, stream)
    stream.fields += _count(content)
    value = ", ".join(field.name if kind == HANDSHAKE else field.value for field in content)
    return Field(names.RECORDS[kind], start, end, "record", value, header + content)


def _count(fields: tuple[Field, ...]) -> int:
    return sum(1 + _count(field.children) for field in fields)


def _header(start: int, kind: int, version: int, length: int) -> tuple[Field, ...]:
    return (
        Field("type", start, start + 1, "u8", f"{kind} {names.RECORDS[kind]}"),
        Field("version", start + 1, start + 3, "u16", names.name_of(names.VERSIONS, version)),
        Field("length", start + 3, start + HEADER, "u16", f"{length:,}"),
    )


def _in_clear(kind: int, body: FieldReader, stream: _Stream) -> bool:
    """Whether a record's content can be read: by what came before it, and by how it begins."""
    if kind in (APPLICATION_DATA, ALERT):
        return kind == ALERT and body.left == 2
    if kind != HANDSHAKE or body.left < 4 or ((stream.missing or stream.begun) and not stream.encrypted):
        return not stream.encrypted
    message, length = body.data[body.at], int.from_bytes(body.data[body.at + 1 : body.at + 4], "big")
    if stream.encrypted:
        return message in (CLIENT_HELLO, SERVER_HELLO) and length == body.left - 4
    return message in names.HANDSHAKES and length <= MOST_MESSAGE and (message != HELLO_REQUEST or not length)


def _opaque(body: FieldReader, stream: _Stream) -> tuple[Field, ...]:
    return (body.rest("content"),)


def _alert(body: FieldReader, stream: _Stream) -> tuple[Field, ...]:
    if body.left != 2:
        return _opaque(body, stream)
    start = body.at
    level, description = body.number(1), body.number(1)
    value = f"{names.name_of(names.ALERT_LEVELS, level)}: {names.name_of(names.ALERTS, description)}"
    return (Field("alert", start, body.at, "alert", value),)


def _handshakes(body: FieldReader, stream: _Stream) -> tuple[Field, ...]:
    """The messages of one record; one that does not end in it is read as far as it goes, and goes on in the next."""
    messages: list[Field] = []
    if stream.missing:
        here = min(stream.missing, body.left)
        stream.missing -= here
        note = f", {stream.missing:,} follow in the next record" if stream.missing else ""
        messages.append(body.part(here).rest(stream.unfinished, "continued", f"{here:,} bytes more of it{note}"))
    while body.left:
        start = body.at
        head = stream.begun + bytes(body.part(min(4 - len(stream.begun), body.left)).view())
        if len(head) < 4:
            stream.begun = head
            messages.append(Field("begin of a message", start, body.at, "bytes", head.hex()))
            break
        stream.begun = b""
        kind, length = head[0], int.from_bytes(head[1:], "big")
        content = body.part(min(length, body.left))
        stream.missing = length - content.left
        messages.append(handshake_message(start, kind, content, length))
        stream.unfinished = messages[-1].name
    return tuple(messages)


def said(kind: int, content: memoryview) -> str:
    """What one record carried in clear, in a line; empty for what speaks for itself, as an application's bytes do."""
    if kind == ALERT and len(content) == 2:
        level, description = names.name_of(names.ALERT_LEVELS, content[0]), names.name_of(names.ALERTS, content[1])
        meaning = names.ALERT_MEANINGS.get(content[1], "")
        name = description if not content[1] else f"{level} alert {description}"
        return f"{name}: {meaning}" if meaning else name
    if kind == APPLICATION_DATA:
        return ""
    found = ", ".join(field.name for field in dissect_content(kind, content))
    return f"{names.RECORDS.get(kind, 'record')}: {found}"


def _summary(records: list[Field], data: memoryview) -> str:
    names_seen = [_seen(record, data) for record in records[:3]]
    more = f" and {len(records) - 3:,} more" if len(records) > 3 else ""
    return "; ".join(names_seen) + more


def _seen(record: Field, data: memoryview) -> str:
    start = record.start + HEADER
    if record.name == names.RECORDS[ALERT] and record.end - start == 2:
        return said(ALERT, data[start : record.end])
    return f"{record.name}: {record.value}" if record.value else record.name


CONTENTS: dict[int, Callable[[FieldReader, _Stream], tuple[Field, ...]]] = {ALERT: _alert, HANDSHAKE: _handshakes}
