"""A resource record of DNS, and what the data of the common types says (RFC 1035, RFC 3596, RFC 6891 and others)."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from netlab.dissect.dns.dns_names import CLASSES, CODES, OPTIONS, TYPES, Names
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.framed.framed_flow import NoMessage

OPT = 41
_MOST_TEXTS = 50
_SHOWN = 200
_KINDS = {"1": "u8", "2": "u16", "4": "u32", "rest": "text", "hex": "bytes"}


def read_question(reader: FieldReader, names: Names) -> tuple[Field, str]:
    """A question, and it in words."""
    start = reader.at
    name = names.read(reader)
    kind_at = reader.at
    kind, group = reader.number(2), reader.number(2)
    parts = (
        Field("name", start, kind_at, "name", name),
        Field("type", kind_at, kind_at + 2, "u16", type_name(kind)),
        Field("class", kind_at + 2, reader.at, "u16", _class_name(group)),
    )
    words = f"{type_name(kind)} {name}"
    return Field("question", start, reader.at, "question", words, parts), words


def read_record(reader: FieldReader, names: Names, section: str) -> tuple[Field, str, int]:
    """A record, it in words, and its type."""
    start = reader.at
    name = names.read(reader)
    kind_at = reader.at
    kind, group, ttl = reader.number(2), reader.number(2), reader.number(4)
    length_at = reader.at
    data = reader.vector(2)
    body, end = data.at, data.end
    if kind == OPT:
        parts, words = _opt(data, group, ttl, kind_at)
    else:
        said, inner = _data(kind, data, names)
        words = f"{type_name(kind)} {said}"
        parts = (
            Field("class", kind_at + 2, kind_at + 4, "u16", _class_name(group)),
            Field("time to live", kind_at + 4, length_at, "u32", f"{ttl:,} s"),
            Field("length", length_at, body, "u16", str(end - body)),
            *((Field("data", body, end, type_name(kind), said, inner),) if end > body else ()),
        )
    parts = (
        Field("name", start, kind_at, "name", name),
        Field("type", kind_at, kind_at + 2, "u16", type_name(kind)),
        *parts,
    )
    value = words if kind == OPT else f"{name} {words}"
    return Field("EDNS" if kind == OPT else section, start, end, "record", value, parts), words, kind


def type_name(kind: int) -> str:
    """A type's name, or its number as RFC 3597 writes it."""
    return TYPES.get(kind, f"TYPE{kind}")


def _class_name(group: int) -> str:
    known = CLASSES.get(group)
    if known is None and group & 0x8000 and group & 0x7FFF in CLASSES:
        return f"{CLASSES[group & 0x7FFF]}, flagged (multicast DNS)"
    return known or f"CLASS{group}"


def _data(kind: int, data: FieldReader, names: Names) -> tuple[str, tuple[Field, ...]]:
    """What a record's data says, and its parts. Data that does not fit its type is shown in hex."""
    start, read = data.at, _READERS.get(kind)
    raw = data.hex()
    if read is None:
        return raw, ()
    try:
        said = read(data, names)
    except (Short, NoMessage):
        return f"{raw} (not as its type says)", ()
    fields = tuple(said)
    if data.left:
        fields = (*fields, data.rest("rest"))
    if len(said) == 1 and not fields[1:]:
        return said[0].value, ()
    return " ".join(field.value for field in said if field.end > start)[:_SHOWN], fields


def _address(data: FieldReader, names: Names) -> list[Field]:
    start, size = data.at, data.left
    raw = bytes(data.part(16 if size > 4 else 4).view())
    address = IPv6Address(raw) if len(raw) == 16 else IPv4Address(raw)
    return [Field("address", start, data.at, "address", str(address))]


def _fields(*shape: str) -> Callable[[FieldReader, Names], list[Field]]:
    """A reader of fields that lie one after another: ``NAME:2`` is a number of two bytes, ``NAME:name`` a name."""

    def read(data: FieldReader, names: Names) -> list[Field]:
        found = []
        for each in shape:
            label, _, kind = each.partition(":")
            start = data.at
            if kind == "name":
                value = names.read(data)
            elif kind == "text":
                value = data.vector(1).text()[:_SHOWN]
            elif kind == "rest":
                value = data.text()[:_SHOWN]
            elif kind == "hex":
                value = data.rest(label).value
            else:
                value = str(data.number(int(kind)))
            found.append(Field(label, start, data.at, _KINDS.get(kind, kind), value))
        return found

    return read


def _texts(data: FieldReader, names: Names) -> list[Field]:
    found = list[Field]()
    while data.left and len(found) < _MOST_TEXTS:
        start = data.at
        text = data.vector(1).text()
        found.append(Field("text", start, data.at, "text", f'"{text}"'))
    return found


_READERS: dict[int, Callable[[FieldReader, Names], list[Field]]] = {
    1: _address,
    28: _address,
    2: _fields("name server:name"),
    5: _fields("name:name"),
    12: _fields("name:name"),
    39: _fields("name:name"),
    6: _fields("server:name", "mailbox:name", "serial:4", "refresh:4", "retry:4", "expire:4", "minimum:4"),
    15: _fields("preference:2", "mail server:name"),
    16: _texts,
    99: _texts,
    33: _fields("priority:2", "weight:2", "port:2", "target:name"),
    43: _fields("key tag:2", "algorithm:1", "digest type:1", "digest:hex"),
    46: _fields(
        "type covered:2",
        "algorithm:1",
        "labels:1",
        "original ttl:4",
        "expires:4",
        "signed:4",
        "key tag:2",
        "signer:name",
        "signature:hex",
    ),
    48: _fields("flags:2", "protocol:1", "algorithm:1", "key:hex"),
    52: _fields("usage:1", "selector:1", "matching:1", "data:hex"),
    64: _fields("priority:2", "target:name", "parameters:hex"),
    65: _fields("priority:2", "target:name", "parameters:hex"),
    257: _fields("flags:1", "tag:text", "value:rest"),
}


def _opt(data: FieldReader, size: int, flags: int, at: int) -> tuple[tuple[Field, ...], str]:
    """EDNS's record uses class and time to live for its own ends (RFC 6891, section 6.1)."""
    code, version = flags >> 24, flags >> 16 & 255
    dnssec = ", DNSSEC wanted" if flags & 0x8000 else ""
    parts = [
        Field("most bytes of UDP", at + 2, at + 4, "u16", f"{size:,}"),
        Field("extended code", at + 4, at + 5, "u8", str(code)),
        Field("version", at + 5, at + 6, "u8", str(version)),
        Field("flags", at + 6, at + 8, "flags", f"0x{flags & 0xFFFF:04x}{dnssec}"),
        Field("length", at + 8, at + 10, "u16", str(data.left)),
    ]
    while data.left and len(parts) < _MOST_TEXTS:
        start = data.at
        try:
            number, body = data.number(2), data.vector(2)
        except Short:
            data.at = start
            break
        name = OPTIONS.get(number, f"option {number}")
        parts.append(Field(name, start, body.end, "option", _option(number, body)))
    if data.left:
        parts.append(data.rest("rest"))
    return tuple(parts), f"EDNS, up to {size:,} bytes{dnssec}"


def _option(number: int, body: FieldReader) -> str:
    if number == 15 and body.left >= 2:
        code = body.number(2)
        return f"{code} {body.text()[:_SHOWN]}".rstrip()
    return body.hex()


def code_name(code: int) -> str:
    """A response's code in words."""
    return CODES.get(code, f"code {code}")
