"""One WebSocket frame: its header, and its payload without the mask (RFC 6455, section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass

from netlab.dissect.field_reader import FieldReader
from netlab.dissect.fields import Field
from netlab.dissect.framed.framed_flow import NoMessage

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPCODES = {CONTINUATION: "continuation", TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}
_FIN, _RSV1, _RESERVED, _MASK = 0x80, 0x40, 0x30, 0x80
_MOST_CONTROL = 125


@dataclass(frozen=True, slots=True)
class Header:
    """A frame's header: bytes ``start`` to ``body``."""

    start: int
    body: int
    length: int
    opcode: int
    final: bool
    compressed: bool
    key: bytes
    """The mask; empty if there is none."""
    fields: tuple[Field, ...]


def read_header(reader: FieldReader) -> Header:
    """The header at the reader's place. Raises `NoMessage` for what no frame may be."""
    start = reader.at
    first = reader.number(1)
    opcode, final, compressed = first & 15, bool(first & _FIN), bool(first & _RSV1)
    if opcode not in OPCODES:
        raise NoMessage(f"no WebSocket frame has opcode {opcode}")
    if first & _RESERVED:
        raise NoMessage("a WebSocket frame with reserved bits set")
    second = reader.number(1)
    length = second & 127
    if opcode >= CLOSE and (length > _MOST_CONTROL or not final or compressed):
        raise NoMessage("a WebSocket control frame is whole, not compressed, and has at most 125 bytes")
    if length > _MOST_CONTROL:
        length = reader.number(2 if length == 126 else 8)
        if length >> 63:
            raise NoMessage("a WebSocket frame cannot be that long")
    place = reader.at
    key = bytes(reader.data[reader.skip(4) : reader.at]) if second & _MASK else b""
    flags = ["FIN"] * final + ["RSV1, compressed"] * compressed
    fields = [
        Field("opcode", start, start + 1, "flags", ", ".join([OPCODES[opcode], *flags])),
        Field("length", start + 1, place, "length", f"{length:,}"),
    ]
    if key:
        fields.append(Field("mask", place, place + 4, "bytes", key.hex()))
    return Header(start, reader.at, length, opcode, final, compressed, key, tuple(fields))


def unmasked(payload: memoryview, key: bytes) -> bytes:
    """The payload without its mask: each byte is combined with one of the key's four by exclusive or."""
    length = len(payload)
    mask = (key * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")).to_bytes(length, "little")
