"""TLS records, and in clear what the handshake says (RFC 8446 and RFC 5246).

From the change of ciphers on (1.2), or the server's hello on (1.3), records hold ciphertext and are left closed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from netlab.capture.model import Direction
from netlab.dissect import tls_names as names
from netlab.dissect.certificate import dissect_certificate
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.reader import Reader, Short

HEADER = 5
MOST_RECORDS = 4096
MOST_LENGTH = (1 << 14) + 2048
TEXT_SHOWN = 200
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """The records of one direction, from a record's first byte on."""
    reader = Reader(data)
    records: list[Field] = []
    encrypted = False
    while reader.left and len(records) < MOST_RECORDS:
        start = reader.at
        problem = _not_a_record(data, start)
        if problem:
            raw = Field("raw", start, len(data), "bytes", Reader(data, start).hex())
            return Dissection((*records, raw), _summary(records) or "no TLS", problem=problem)
        try:
            kind, version, body = reader.number(1), reader.number(2), reader.vector(2)
        except Short as short:
            partial = _partial(data, start, short)
            begun = [*records, replace(partial, value=_begun(data, start, encrypted))]
            return Dissection((*records, partial), _summary(begun), short.missing)
        records.append(_record(start, kind, version, body, encrypted))
        encrypted = encrypted or kind == CHANGE_CIPHER_SPEC
    problem = f"only the first {MOST_RECORDS:,} records are read" if reader.left else ""
    return Dissection(tuple(records), _summary(records), problem=problem)


def dissect_content(kind: int, content: memoryview) -> tuple[Field, ...]:
    """The fields of what one record carried in clear."""
    if kind == APPLICATION_DATA:
        return (Field("text", 0, len(content), "text", repr(bytes(content[:TEXT_SHOWN]))[1:]),) if content else ()
    return CONTENTS.get(kind, _opaque)(Reader(content))


def _not_a_record(data: memoryview, start: int) -> str:
    """Why no record begins here, as far as its header tells; empty where one may."""
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
    return Field(name, start, len(data), "record", f"waits for {short.missing:,} bytes")


def _begun(data: memoryview, start: int, encrypted: bool) -> str:
    """What a record that is not here as a whole is about to say, as far as its beginning tells."""
    if start + HEADER > len(data):
        return ""
    if data[start] == HANDSHAKE and not encrypted and start + HEADER < len(data):
        return _name(names.HANDSHAKES, data[start + HEADER])
    return f"{int.from_bytes(data[start + 3 : start + HEADER], 'big'):,} bytes"


def _record(start: int, kind: int, version: int, body: Reader, encrypted: bool) -> Field:
    length = body.left
    header = (
        Field("type", start, start + 1, "u8", f"{kind} {names.RECORDS[kind]}"),
        Field("version", start + 1, start + 3, "u16", _name(names.VERSIONS, version)),
        Field("length", start + 3, start + HEADER, "u16", f"{length:,}"),
    )
    end = body.end
    if encrypted or kind == APPLICATION_DATA:
        content: tuple[Field, ...] = (body.rest("ciphertext"),)
        return Field(names.RECORDS[kind], start, end, "record", f"{length:,} bytes, encrypted", header + content)
    content = CONTENTS.get(kind, _opaque)(body)
    value = ", ".join(field.name if kind == HANDSHAKE else field.value for field in content)
    return Field(names.RECORDS[kind], start, end, "record", value, header + content)


def _opaque(body: Reader) -> tuple[Field, ...]:
    return (body.rest("content"),)


def _alert(body: Reader) -> tuple[Field, ...]:
    if body.left != 2:
        return _opaque(body)
    start = body.at
    level, description = body.number(1), body.number(1)
    value = f"{_name(names.ALERT_LEVELS, level)}: {_name(names.ALERTS, description)}"
    return (Field("alert", start, body.at, "alert", value),)


def _handshakes(body: Reader) -> tuple[Field, ...]:
    """The messages of one record; one that goes on in the next record is shown as its first part."""
    messages: list[Field] = []
    while body.left:
        start = body.at
        try:
            kind, content = body.number(1), body.vector(3)
        except Short as short:
            messages.append(
                Reader(body.data, start, body.end).rest("fragment", value=f"{short.missing:,} bytes follow")
            )
            break
        messages.append(_message(start, kind, content))
    return tuple(messages)


def _message(start: int, kind: int, content: Reader) -> Field:
    end, length = content.end, content.left
    children: list[Field] = []
    with suppress(Short):
        MESSAGES.get(kind, _unread)(content, children)
    if content.left:
        children.append(content.rest("rest"))
    name = _name(names.HANDSHAKES, kind)
    return Field(name, start, end, "message", f"{length:,} bytes", tuple(children))


def _unread(content: Reader, fields: list[Field]) -> None:
    """A message of which only the bytes are shown."""


def _hello(content: Reader, fields: list[Field]) -> None:
    """What both hellos begin with."""
    start = content.skip(2)
    version = int.from_bytes(content.data[start : start + 2], "big")
    fields.append(Field("version", start, start + 2, "u16", _name(names.VERSIONS, version)))
    fields.append(content.part(32).rest("random"))
    fields.append(content.vector(1).rest("session id"))


def _client_hello(content: Reader, fields: list[Field]) -> None:
    _hello(content, fields)
    fields.append(_numbers("cipher suites", content.vector(2), names.CIPHERS))
    fields.append(content.vector(1).rest("compression methods"))
    _extensions(content, fields)


def _server_hello(content: Reader, fields: list[Field]) -> None:
    _hello(content, fields)
    start = content.at
    fields.append(Field("cipher suite", start, start + 2, "u16", _name(names.CIPHERS, content.number(2))))
    fields.append(content.part(1).rest("compression method"))
    _extensions(content, fields)


def _extensions(content: Reader, fields: list[Field]) -> None:
    if not content.left:
        return
    extensions = content.vector(2)
    while extensions.left:
        start = extensions.at
        kind, body = extensions.number(2), extensions.vector(2)
        name = _name(names.EXTENSIONS, kind)
        try:
            value = EXTENSIONS.get(kind, Reader.hex)(Reader(body.data, body.at, body.end))
        except Short:
            value = "malformed: " + body.hex()
        fields.append(Field(name, start, body.end, "extension", value))


def _certificate(content: Reader, fields: list[Field]) -> None:
    """The chain. TLS 1.3 (RFC 8446, section 4.4.2) puts a context before it, and extensions after each certificate."""
    is_1_2 = int.from_bytes(content.data[content.at : content.at + 3], "big") == content.left - 3
    if not is_1_2:
        fields.append(content.vector(1).rest("context"))
    chain = content.vector(3)
    while chain.left:
        fields.append(dissect_certificate(chain.vector(3)))
        if not is_1_2:
            chain.vector(2)


def _server_name(body: Reader) -> str:
    if not body.left:
        return "acknowledged"
    entries = body.vector(2)
    entries.number(1)
    return entries.vector(2).text()


def _alpn(body: Reader) -> str:
    protocols, found = body.vector(2), []
    while protocols.left:
        found.append(protocols.vector(1).text())
    return ", ".join(found)


def _supported_versions(body: Reader) -> str:
    """A list from the client, one version from the server."""
    return _list(body if body.left == 2 else body.vector(1), names.VERSIONS)


def _key_share(body: Reader) -> str:
    """Groups of the shares: a list from the client; one from the server; one without a share asks for another hello."""
    single = body.left == 2 or int.from_bytes(body.data[body.at : body.at + 2], "big") != body.left - 2
    if single:
        return _name(names.GROUPS, body.number(2))
    shares, groups = body.vector(2), []
    while shares.left:
        groups.append(_name(names.GROUPS, shares.number(2)))
        shares.vector(2)
    return ", ".join(groups)


def _list(numbers: Reader, table: dict[int, str]) -> str:
    found = []
    while numbers.left:
        found.append(_name(table, numbers.number(2)))
    return ", ".join(found)


def _numbers(name: str, numbers: Reader, table: dict[int, str]) -> Field:
    """A list of two-byte numbers, each a field."""
    start, end, items = numbers.at, numbers.end, []
    while numbers.left >= 2:
        at = numbers.at
        items.append(Field(name.rstrip("s"), at, at + 2, "u16", _name(table, numbers.number(2))))
    return Field(name, start, end, "list", f"{len(items)}", tuple(items))


def _name(table: dict[int, str], number: int) -> str:
    """A number's name; GREASE values (RFC 8701) and unknown ones stay numbers."""
    if number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF:
        return f"GREASE {number:#06x}"
    return table.get(number, f"unknown ({number:#x})")


def _summary(records: list[Field]) -> str:
    names_seen = [f"{record.name}: {record.value}" if record.value else record.name for record in records[:3]]
    more = f" and {len(records) - 3:,} more" if len(records) > 3 else ""
    return "; ".join(names_seen) + more


CONTENTS: dict[int, Callable[[Reader], tuple[Field, ...]]] = {ALERT: _alert, HANDSHAKE: _handshakes}

MESSAGES: dict[int, Callable[[Reader, list[Field]], None]] = {
    1: _client_hello,
    2: _server_hello,
    8: _extensions,
    11: _certificate,
}

EXTENSIONS: dict[int, Callable[[Reader], str]] = {
    0: _server_name,
    10: lambda body: _list(body.vector(2), names.GROUPS),
    13: lambda body: _list(body.vector(2), names.SIGNATURES),
    16: _alpn,
    43: _supported_versions,
    51: _key_share,
}
