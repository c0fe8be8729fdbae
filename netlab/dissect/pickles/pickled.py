"""The opcodes of a pickle, each a field, and how it reads: what loading it would make or call. It loads nothing.

Names, arguments and stack effects of the opcodes are those of `pickletools`. Its ``genops`` copies every argument; here
an argument is a span, of which a bounded preview is shown.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field

MOST_OPCODES = 2000
PREVIEW = 48
"""Bytes of a string, or characters of a reading, that are shown."""
LONGEST = 120

_BY_CODE = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
_COUNTED = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_TWO_LINES = ("GLOBAL", "INST")


@dataclass(frozen=True, slots=True)
class PickleReading:
    """``reading`` is the pickle as Python text, shortened; ``names`` what it names, and so could run.

    ``end`` is its end; ``problem`` says why it could not be read to its STOP, or is empty.
    """

    opcodes: tuple[Field, ...]
    reading: str
    names: tuple[str, ...]
    end: int
    problem: str = ""


def read_pickle(data: memoryview, start: int, end: int, most: int = MOST_OPCODES) -> PickleReading:
    """Read the pickle in ``data[start:end]``, at most ``most`` opcodes of it."""
    reader = FieldReader(data, start, end)
    opcodes: list[Field] = []
    reading = _Reading()
    problem = "it ends before its STOP"
    while reader.left:
        at = reader.at
        info = _BY_CODE.get(data[at])
        if info is None:
            problem = f"there is no opcode 0x{data[at]:02x}"
            break
        if len(opcodes) >= most:
            problem = f"only its first {most:,} opcodes are shown"
            break
        reader.skip(1)
        try:
            value = _argument(reader, info)
        except Short:
            opcodes.append(Field(info.name, at, end, "opcode", "cut off"))
            reader.at = end
            break
        opcodes.append(Field(info.name, at, reader.at, "opcode", value))
        reading.follow(info.name, value)
        if info.name == "STOP":
            problem = ""
            break
    return PickleReading(tuple(opcodes), reading.text, tuple(reading.names), reader.at, problem)


def _argument(reader: FieldReader, info: pickletools.OpcodeInfo) -> str:
    """The argument of an opcode as text, and move behind it."""
    if info.arg is None:
        return ""
    if info.arg.n == pickletools.UP_TO_NEWLINE:
        lines = 2 if info.name in _TWO_LINES else 1
        return ".".join(_line(reader) for _ in range(lines))
    if info.arg.n in _COUNTED:
        length = int.from_bytes(_raw(reader, _COUNTED[info.arg.n]), "little")
        return _content(reader.part(length), info.name)
    raw = _raw(reader, info.arg.n)
    if info.name == "BINFLOAT":
        return repr(struct.unpack(">d", raw)[0])
    return str(int.from_bytes(raw, "little", signed=info.name == "BININT"))


def _raw(reader: FieldReader, size: int) -> memoryview:
    start = reader.skip(size)
    return reader.data[start : reader.at]


def _line(reader: FieldReader) -> str:
    """Text up to a newline, in steps: a view has no ``find``."""
    start = at = reader.at
    while at < reader.end:
        stop = min(at + 4096, reader.end)
        found = bytes(reader.data[at:stop]).find(b"\n")
        if found >= 0:
            reader.at = at + found + 1
            return _decoded(reader.data[start : at + found])
        at = stop
    raise Short(1)


def _content(part: FieldReader, opcode: str) -> str:
    """What a counted argument holds: a number, text, or bytes."""
    if opcode.startswith("LONG"):
        if part.left > PREVIEW:
            return f"<int of {part.left:,} bytes>"
        return str(int.from_bytes(_raw(part, part.left), "little", signed=True))
    view = part.data[part.at : part.end]
    if "UNICODE" in opcode:
        return repr(_decoded(view))
    more = "…" if len(view) > PREVIEW else ""
    shown = f"{bytes(view[:PREVIEW])!r}{more}"
    return f"bytearray({shown})" if opcode == "BYTEARRAY8" else shown


def _decoded(view: memoryview) -> str:
    if len(view) <= PREVIEW:
        return str(view, "utf-8", "backslashreplace")
    return str(view[:PREVIEW], "utf-8", "ignore") + "…"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _joined(items: Iterable[str]) -> str:
    """Items with commas between them, no more than are shown."""
    text = ""
    for item in items:
        text = f"{text}, {item}" if text else item
        if len(text) > LONGEST:
            break
    return text


_CONSTANTS = {
    "NONE": "None",
    "NEWTRUE": "True",
    "NEWFALSE": "False",
    "EMPTY_LIST": "[]",
    "EMPTY_TUPLE": "()",
    "EMPTY_DICT": "{}",
    "EMPTY_SET": "set()",
}
_FILLING = {"APPEND": 1, "SETITEM": 2, "APPENDS": 0, "SETITEMS": 0, "ADDITEMS": 0}
_SILENT = ("PROTO", "FRAME", "STOP")


class _Reading:
    """Follows the opcodes with a stack of texts instead of `pickle`'s stack of objects.

    It shows and decides nothing: a list that is filled after it was memoised reads as it was when it was memoised.
    """

    def __init__(self) -> None:
        self.stack: list[str | None] = []  # None is a mark
        self.memo: dict[int, str] = {}
        self.names: list[str] = []
        self.text = ""

    def follow(self, name: str, value: str) -> None:
        """Do what an opcode does; a stack that does not hold what it takes ends the reading."""
        try:
            self._step(name, value)
        except (IndexError, ValueError):
            self.stack = []

    def _step(self, name: str, value: str) -> None:
        if name in _SILENT:
            self.text = self._pop() if name == "STOP" else self.text
        elif name == "MARK":
            self.stack.append(None)
        elif name in _FILLING:
            self._fill(name, self._take(_FILLING[name]))
        elif name == "MEMOIZE" or name.endswith("PUT"):
            self.memo[int(value or len(self.memo))] = self._top()
        elif name.endswith("GET"):
            self.stack.append(self.memo.get(int(value), "…"))
        elif name in ("POP", "POP_MARK"):
            self._take(1 if name == "POP" else 0)
        elif (made := self._made(name, value)) is not None:
            self.stack.append(_short(made))

    def _made(self, name: str, value: str) -> str | None:
        """What an opcode puts on the stack, as text."""
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name.startswith("TUPLE"):
            items = self._take(int(name[5:] or 0))
            return f"({_joined(items)},)" if len(items) == 1 else f"({_joined(items)})"
        if name in ("LIST", "DICT", "FROZENSET"):
            return f"{name.lower()}({_joined(self._take(0))})"
        if name in ("GLOBAL", "STACK_GLOBAL"):
            return self._named(value or ".".join(text.strip("'\"") for text in self._take(2)))
        if name in ("INST", "OBJ"):
            items = self._take(0)
            return self._called(self._named(value) if name == "INST" else items.pop(0), f"({_joined(items)})")
        if name in ("REDUCE", "NEWOBJ"):
            return self._called(*self._take(2))
        if name == "NEWOBJ_EX":
            made, arguments, keywords = self._take(3)
            return f"{made}(*{arguments}, **{keywords})"
        if name == "BUILD":
            made, state = self._take(2)
            return f"{made} with state {state}"
        if name == "BINPERSID":
            return f"persistent({self._pop()})"
        if name == "READONLY_BUFFER":
            return self._pop()
        return value or name

    @staticmethod
    def _called(function: str, arguments: str) -> str:
        return function + arguments.replace(",)", ")") if arguments.startswith("(") else f"{function}(*{arguments})"

    def _named(self, name: str) -> str:
        self.names.append(_short(name))
        return name

    def _fill(self, name: str, items: list[str]) -> None:
        if name.startswith("SETITEM"):
            items = [f"{key}: {value}" for key, value in zip(items[::2], items[1::2], strict=False)]
        container = self._pop()
        content = "" if container in ("[]", "{}", "set()") else container[1:-1]
        begin, end = "[]" if name.startswith("APPEND") else "{}"
        self.stack.append(_short(begin + _joined([content, *items] if content else items) + end))

    def _take(self, count: int) -> list[str]:
        """So many texts from the stack, or all down to the mark."""
        if count:
            return [self._pop() for _ in range(count)][::-1]
        taken: list[str] = []
        while (text := self.stack.pop()) is not None:
            taken.append(text)
        return taken[::-1]

    def _top(self) -> str:
        return self.stack[-1] or ""

    def _pop(self) -> str:
        return self.stack.pop() or ""
