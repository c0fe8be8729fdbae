"""JSON as a tree of its values, bounded, in one pass. Values stay text: to convert a long number takes long.

Of what is not JSON (RFC 8259) it says where, and what would have to stand there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from netlab.dissect.documents.document import SHOWN, Content
from netlab.dissect.fields import Field

MOST_READ = 1 << 18
"""Bytes of JSON that are read."""
MOST_VALUES = 1000
DEEPEST = 50
"""Values within values; what lies deeper is not read."""
_BOM = b"\xef\xbb\xbf"
_SPACE = re.compile(rb"[ \t\r\n]*+")
_TOKEN = re.compile(
    rb"(?P<mark>[{}\[\],:])"
    rb'|(?P<string>"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+")'
    rb"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)(?![\w.+-])"
    rb"|(?P<boolean>true|false)\b|(?P<null>null)\b"
)


class _Wants(Enum):
    """What may come next."""

    VALUE = "a value"
    ELEMENT = "a value or ]"
    NAME = "a name"
    MEMBER = "a name or }"
    COLON = "a colon"
    MORE_ELEMENTS = "a comma or ]"
    MORE_MEMBERS = "a comma or }"
    END = "the end"


_VALUES = {_Wants.VALUE, _Wants.ELEMENT}
_NAMES = {_Wants.NAME, _Wants.MEMBER}
_NEXT = {
    (_Wants.COLON, ":"): _Wants.VALUE,
    (_Wants.MORE_ELEMENTS, ","): _Wants.VALUE,
    (_Wants.MORE_MEMBERS, ","): _Wants.NAME,
}
_CLOSE = {
    (_Wants.ELEMENT, "]"),
    (_Wants.MORE_ELEMENTS, "]"),
    (_Wants.MEMBER, "}"),
    (_Wants.MORE_MEMBERS, "}"),
}
_KINDS = {"{": "object", "[": "array"}
_FIRST = {"object": _Wants.MEMBER, "array": _Wants.ELEMENT}
_MORE = {"object": _Wants.MORE_MEMBERS, "array": _Wants.MORE_ELEMENTS}


def read_json(view: memoryview, where: Callable[[int], int]) -> Content:
    """The value in a body, as far as it has arrived."""
    reader = _Reader(view[:MOST_READ], where)
    reader.read()
    cut = len(view) > MOST_READ and not reader.limited
    problem = f"only the first {MOST_READ} bytes of JSON are read" if cut else reader.problem
    return Content(tuple(reader.top), "", problem)


@dataclass(slots=True)
class _Container:
    """An object or array that is open."""

    kind: str
    name: str
    start: int
    children: list[Field] = field(default_factory=list)
    key: str = ""


class _Reader:
    """Reads one value, token by token."""

    def __init__(self, view: memoryview, where: Callable[[int], int]) -> None:
        self.view, self.where = view, where
        self.top: list[Field] = []
        self.open: list[_Container] = []
        self.wants = _Wants.VALUE
        self.values = 0
        self.at = len(_BOM) if view[: len(_BOM)] == _BOM else 0
        self.problem = ""
        self.limited = False  # whether a limit ended the reading

    def read(self) -> None:
        """Read to the end, or to what is wrong."""
        while not self.problem:
            space = _SPACE.match(self.view, self.at)
            self.at = space.end() if space is not None else self.at
            if self.wants is _Wants.END and self.at == len(self.view):
                return
            match = _TOKEN.match(self.view, self.at)
            if match is None or not self._take(match.lastgroup or "", match):
                self.problem = self.problem or self._malformed()
            else:
                self.at = match.end()
        self._leave()

    def _take(self, kind: str, match: re.Match[bytes]) -> bool:
        """Take a token; whether it may stand here."""
        mark = match[0].decode() if kind == "mark" else ""
        step = self.wants, mark
        if kind == "string" and self.wants in _NAMES:
            self.open[-1].key = _text(match[0][1:-1])
            self.wants = _Wants.COLON
        elif step in _NEXT:
            self.wants = _NEXT[step]
        elif step in _CLOSE:
            self._close(match.end())
        elif self.wants in _VALUES and (mark in _KINDS or not mark):
            return self._value(mark, kind, match)
        else:
            return False
        return True

    def _value(self, mark: str, kind: str, match: re.Match[bytes]) -> bool:
        """A scalar, or the beginning of a container; False if there are too many."""
        self.values += 1
        if self.values > MOST_VALUES or len(self.open) >= DEEPEST:
            self.limited = True
            self.problem = f"only the first {MOST_VALUES} values are read" if self.values > MOST_VALUES else _TOO_DEEP
            return False
        if mark:
            self.open.append(_Container(_KINDS[mark], self._name(), match.start()))
            self.wants = _FIRST[_KINDS[mark]]
        else:
            self._add(Field(self._name(), *self._span(match.start(), match.end()), kind, _text(match[0])))
        return True

    def _name(self) -> str:
        inner = self.open[-1] if self.open else None
        if inner is None:
            return "JSON"
        return inner.key if inner.kind == "object" else f"[{len(inner.children)}]"

    def _span(self, start: int, end: int) -> tuple[int, int]:
        begin = self.where(start)
        return begin, max(self.where(max(end - 1, 0)) + 1, begin)

    def _close(self, end: int) -> None:
        done = self.open.pop()
        value = f"{len(done.children)} {'member' if done.kind == 'object' else 'element'}"
        value += "s" * (len(done.children) != 1)
        self._add(Field(done.name, *self._span(done.start, end), done.kind, value, tuple(done.children)))

    def _add(self, value: Field) -> None:
        inner = self.open[-1] if self.open else None
        (inner.children if inner is not None else self.top).append(value)
        self.wants = _MORE[inner.kind] if inner is not None else _Wants.END

    def _malformed(self) -> str:
        if self.at == len(self.view):
            return f"the body is not JSON: it ends where {self.wants.value} is expected"
        before = bytes(self.view[: self.at])
        line, column = before.count(b"\n") + 1, self.at - before.rfind(b"\n")
        return f"the body is not JSON: {self.wants.value} is expected at line {line}, column {column}"

    def _leave(self) -> None:
        """Close what is open, and leave the rest raw."""
        while self.open:
            self._close(self.at)
        if self.at < len(self.view):
            name = "not read" if self.limited else "malformed"
            why = self.problem.removeprefix("the body is not JSON: ")
            self.top.append(Field(name, *self._span(self.at, len(self.view)), "bytes", why))


_TOO_DEEP = f"the JSON is nested more than {DEEPEST} values deep"


def _text(raw: bytes) -> str:
    """A token as text; shortened first, because it may be long."""
    text = raw[: 4 * SHOWN].decode("utf-8", "replace")
    return text[:SHOWN] + ("…" if len(text) > SHOWN or len(raw) > 4 * SHOWN else "")
