"""The argument of an opcode as a value: what is long stays where it is, in the message."""

from __future__ import annotations

import pickletools
import struct

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.pickles.pickle_values import Plain, Spelt

BY_CODE = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
LONGEST_NAME = 200
"""Bytes of a module's or a name's that are shown."""
_COUNTED = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_SIGNED = {"BININT", "EXT4"}
_LONGEST_NUMBER = 400
"""Digits that are turned into a number; of more, the digits are shown."""
_SPELT = {
    "STRING": ("str", "escapes"),
    "BINSTRING": ("str", "utf-8"),
    "SHORT_BINSTRING": ("str", "utf-8"),
    "UNICODE": ("str", "raw-unicode-escape"),
    "SHORT_BINUNICODE": ("str", "utf-8"),
    "BINUNICODE": ("str", "utf-8"),
    "BINUNICODE8": ("str", "utf-8"),
    "BINBYTES": ("bytes", "raw"),
    "SHORT_BINBYTES": ("bytes", "raw"),
    "BINBYTES8": ("bytes", "raw"),
    "BYTEARRAY8": ("bytearray", "raw"),
    "PERSID": ("str", "utf-8"),
}

Argument = Plain | Spelt | None


class Wrong(Exception):
    """Loading fails here; the text says why. Before it fails, it may run code: ``runs`` says which."""

    def __init__(self, why: str, runs: str = "") -> None:
        super().__init__(why)
        self.runs = runs


def argument_of(reader: FieldReader, opcode: pickletools.OpcodeInfo) -> Argument:
    """The argument of an opcode, and move behind it. Raises `Short` if it is cut off, `Wrong` if it is invalid."""
    if opcode.arg is None:
        return None
    if opcode.arg.n == pickletools.UP_TO_NEWLINE:
        return _line_argument(reader, opcode.name)
    if opcode.arg.n in _COUNTED:
        signed = opcode.name in ("LONG4", "BINSTRING")
        length = int.from_bytes(_raw(reader, _COUNTED[opcode.arg.n]), "little", signed=signed)
        if length < 0:
            raise Wrong(f"it says that it is {length:,} bytes long")
        data = _raw(reader, length)
        return _long(data) if opcode.name.startswith("LONG") else _spelt(opcode.name, data)
    raw = _raw(reader, opcode.arg.n)
    if opcode.name == "BINFLOAT":
        return Plain(struct.unpack(">d", raw)[0])
    return Plain(int.from_bytes(raw, "little", signed=opcode.name in _SIGNED))


def _spelt(opcode: str, data: memoryview) -> Spelt:
    kind, coding = _SPELT[opcode]
    return Spelt(kind, data, coding)


def _long(data: memoryview) -> Plain | Spelt:
    if len(data) > _LONGEST_NUMBER // 8:
        return Spelt("int", data, "little")
    return Plain(int.from_bytes(data, "little", signed=True))


def _line_argument(reader: FieldReader, opcode: str) -> Argument:
    line = _line(reader)
    if opcode in ("GLOBAL", "INST"):
        return Plain(f"{name_in(line)}.{name_in(_line(reader))}")
    if opcode == "STRING":
        quotes = bytes(line[:1]), bytes(line[-1:])
        if len(line) < 2 or quotes not in ((b"'", b"'"), (b'"', b'"')):
            raise Wrong("its text has no quotes around it")
        line = line[1:-1]
    if opcode in _SPELT:
        return _spelt(opcode, line)
    return _digits(line, opcode)


def _digits(line: memoryview, opcode: str) -> Plain | Spelt:
    """A number that is spelt in digits."""
    if opcode == "LONG" and bytes(line[-1:]) == b"L":
        line = line[:-1]
    if len(line) > _LONGEST_NUMBER and opcode != "FLOAT":
        return Spelt("int", line, "digits")
    text = str(line[: 2 * _LONGEST_NUMBER], "ascii", "backslashreplace")
    if opcode == "INT" and text in ("00", "01"):
        return Plain(text == "01")
    try:
        return Plain(float(text) if opcode == "FLOAT" else int(text, 10 if opcode in ("GET", "PUT") else 0))
    except ValueError:
        raise Wrong(f"{text[:20]!r} is no number") from None


def number_of(argument: Argument) -> int:
    """An argument that is a place or a number in a table."""
    if not isinstance(argument, Plain) or not isinstance(argument.value, int):
        raise Wrong("its number is too long")
    return argument.value


def name_in(data: memoryview) -> str:
    """A module or a name in it, shortened if it is very long."""
    text = str(data[:LONGEST_NAME], "utf-8", "backslashreplace")
    return text if len(data) <= LONGEST_NAME else f"{text}…"


def _raw(reader: FieldReader, size: int) -> memoryview:
    start = reader.skip(size)
    return reader.data[start : reader.at]


def _line(reader: FieldReader) -> memoryview:
    """What stands before the next newline, in steps: a view has no ``find``."""
    start = at = reader.at
    while at < reader.end:
        stop = min(at + 4096, reader.end)
        found = bytes(reader.data[at:stop]).find(b"\n")
        if found >= 0:
            reader.at = at + found + 1
            return reader.data[start : at + found]
        at = stop
    raise Short(1)
