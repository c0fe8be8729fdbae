"""Blocks of headers in HTTP/2: each header is an index into a table, or text (HPACK, RFC 7541)."""

from __future__ import annotations

from dataclasses import dataclass

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.framed.framed_flow import NoMessage
from netlab.dissect.http2.header_table import Header, HeaderTable
from netlab.dissect.http2.huffman import NoHuffman, decoded

MOST_HEADERS = 200
"""Headers of a block that are listed; the others are read for the table alone."""
SHOWN = 200
_UNKNOWN = "(not known: it was named in bytes that are missing)"
_MOST_NUMBER = 1 << 32


@dataclass(slots=True)
class Block:
    """The headers of a block, its fields, and why the rest was left raw."""

    fields: list[Field]
    headers: list[Header]
    problem: str = ""

    def value(self, name: str) -> str:
        """What a header says; empty if there is none."""
        return next((value for key, value in self.headers if key == name), "")


def read_block(reader: FieldReader, table: HeaderTable) -> Block:
    """All headers of a block that is complete. The table changes with them."""
    block = Block([], [])
    while reader.left:
        start = reader.at
        try:
            kind, header = _read_header(reader, table)
        except (Short, NoMessage, NoHuffman) as problem:
            reader.at = start
            block.problem = "the header block ends too early" if isinstance(problem, Short) else str(problem)
            block.fields.append(reader.rest("rest"))
            table.forget()
            break
        if len(block.headers) == MOST_HEADERS:
            more = block.fields.pop() if block.fields[-1].name == "more" else Field("more", start, start, "bytes", "")
            block.fields.append(Field("more", more.start, reader.at, "bytes", f"{reader.at - more.start:,} bytes"))
        elif header is None:
            block.fields.append(Field("table size", start, reader.at, "number", kind))
        else:
            block.headers.append(header)
            block.fields.append(Field(header[0], start, reader.at, kind, header[1][:SHOWN]))
    return block


def _read_header(reader: FieldReader, table: HeaderTable) -> tuple[str, Header | None]:
    """How the next header is written, and it; or a new size of the table, and None (RFC 7541, section 6)."""
    first = reader.data[reader.at]
    if first & 0x80:
        return "indexed", table.at(_number(reader, 7)) or (_UNKNOWN, "")
    if first & 0xE0 == 0x20:
        size = _number(reader, 5)
        table.resize(size)
        return f"{size:,}", None
    kept = bool(first & 0x40)
    index = _number(reader, 6 if kept else 4)
    if index:
        name = (table.at(index) or (_UNKNOWN, ""))[0]
        length = len(name)
    else:
        name, length = _string(reader)
    value, size = _string(reader)
    if kept:
        table.add((name, value), length + size)
    return "kept" if kept else "never kept" if first & 0x10 else "not kept", (name, value)


def _number(reader: FieldReader, bits: int) -> int:
    """A number that begins in the low bits of a byte (RFC 7541, section 5.1)."""
    most = (1 << bits) - 1
    number, shift = reader.number(1) & most, 0
    if number < most:
        return number
    while True:
        byte = reader.number(1)
        number += (byte & 0x7F) << shift
        shift += 7
        if number > _MOST_NUMBER:
            raise NoMessage("a number in a header block is too large")
        if not byte & 0x80:
            return number
        if shift > 63:
            raise NoMessage("a number in a header block does not end")


def _string(reader: FieldReader) -> tuple[str, int]:
    """A string, and how many bytes it has."""
    packed = reader.data[reader.at : reader.at + 1].tobytes() >= b"\x80"
    raw = bytes(reader.part(_number(reader, 7)).view())
    text = decoded(raw) if packed else raw
    return str(text, "utf-8", "backslashreplace"), len(text)
