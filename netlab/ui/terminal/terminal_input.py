"""Prepares a terminal's input for the parser: bounded, thinned out, and valid text. Pure.

Textual's parser takes about 10 µs for a character and 100 µs for a mouse report, so a paste without brackets and fast
mouse movements are thinned out before they reach it.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from enum import Enum
from typing import NamedTuple

LONGEST_PASTE = 1 << 20
"""Bytes of a bracketed paste that are kept."""

_TOKEN = re.compile(
    rb"(?P<mouse>\x1b\[<(?P<code>\d{1,4});-?\d{1,7};-?\d{1,7}[Mm])"
    rb"|(?P<old>\x1b\[M[\x20-\xff]{3})"
    rb"|(?P<paste>\x1b\[200~)"
    rb"|(?P<text>[\r\n\t\x20-\x7e\x80-\xff]+)"
    rb"|\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[\s\S]|[\s\S]"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O|\[M[\x20-\xff]{0,2})?\Z")
_LONGEST_SEQUENCE = 40
BY_HAND = 40
"""How much of each kind is always accepted after a pause: what the user types, even after a flood."""
_PASTE_END = b"\x1b[201~"
_MOTION, _WHEEL = 32, 64


class InputKind(Enum):
    """A kind of input, with a limit of its own."""

    TEXT = "characters"
    KEY = "keys"
    MOUSE = "mouse events"


class Pasted(NamedTuple):
    """The text of a bracketed paste."""

    text: str


class TerminalInput:
    """Takes bytes as they come; yields text for the parser, and pastes.

    ``room`` returns how much more of a kind is accepted; ``lost`` is called with the number dropped.
    """

    def __init__(self, room: Callable[[InputKind], int], lost: Callable[[InputKind, int], None]) -> None:
        self._room, self._lost = room, lost
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._held = b""
        self._move: tuple[bytes, bytes] | None = None
        self._paste: bytearray | None = None
        self._paste_lost = 0
        self._skipping = False
        self._come: Counter[InputKind] = Counter()

    def feed(self, data: bytes, *, more: bool) -> Iterator[str | Pasted]:
        """The input in these bytes. If ``more`` can be read, an unfinished sequence waits for its rest."""
        data, self._held = self._held + data, b""
        while data:
            data = yield from self._pasted(data) if self._paste is not None else self._typed(data, more)
        yield from self._moved()

    def rest(self) -> Iterator[str]:
        """After a pause: the unfinished sequence as it is. From now on text is accepted again."""
        self._skipping = False
        self._come.clear()
        held, self._held = self._held, b""
        if self._paste is None and (text := self._decode(held, True)):
            yield text
        elif self._paste is not None:
            self._held = held

    def _typed(self, data: bytes, more: bool) -> Generator[str | Pasted, None, bytes]:
        """Yield everything up to a paste; return the rest."""
        cut = data.rfind(b"\x1b", -_LONGEST_SEQUENCE)
        if cut >= 0 and _UNFINISHED.match(data, cut) and (more or len(data) - cut > 1):
            data, self._held = data[:cut], data[cut:]
        for token in _TOKEN.finditer(data):
            if token["paste"]:
                self._paste, self._paste_lost = bytearray(), 0
                rest, self._held = data[token.end() :] + self._held, b""
                yield from self._moved()
                return rest
            yield from self._token(token)
        return b""

    def _token(self, token: re.Match[bytes]) -> Iterator[str]:
        if token["mouse"]:
            code = int(token["code"])
            if code & _MOTION and not code & _WHEEL:
                if self._move is not None and self._move[0] != token["code"]:
                    yield from self._moved()
                self._move = token["code"], token["mouse"]
                return
            yield from self._moved()
            if token["mouse"].endswith(b"m") or self._taken(InputKind.MOUSE, 1):
                yield self._decode(token["mouse"])
            return
        yield from self._moved()
        if token["text"]:
            yield self._decode(self._bounded(token["text"]))
        elif not token["old"] and self._taken(InputKind.KEY, 1):  # Textual does not ask for old-style mouse reports
            yield self._decode(token[0])

    def _moved(self) -> Iterator[str]:
        """Yield the mouse's last position only."""
        if self._move is not None:
            move, self._move = self._move[1], None
            yield self._decode(move)

    def _bounded(self, text: bytes) -> bytes:
        """As much text as there is room for. After the first drop, all text is dropped until a pause: a pasted line
        without its middle must not be run."""
        if self._skipping:
            self._lost(InputKind.TEXT, len(text))
            return b""
        taken = self._taken(InputKind.TEXT, len(text))
        self._skipping = taken < len(text)
        return text[:taken]

    def _taken(self, kind: InputKind, count: int) -> int:
        """How many of ``count`` are accepted; the others are dropped."""
        taken = max(0, min(count, max(self._room(kind), BY_HAND - self._come[kind])))
        self._come[kind] += taken
        if taken < count:
            self._lost(kind, count - taken)
        return taken

    def _pasted(self, data: bytes) -> Generator[str | Pasted, None, bytes]:
        """Yield everything up to the end of a paste; return the rest."""
        assert self._paste is not None
        text, end, rest = data.partition(_PASTE_END)
        if not end:
            cut = next((n for n in range(len(_PASTE_END) - 1, 0, -1) if text.endswith(_PASTE_END[:n])), 0)
            text, self._held = text[: len(text) - cut], text[len(text) - cut :]
        room = LONGEST_PASTE - len(self._paste)
        self._paste += text[:room]
        self._paste_lost += max(0, len(text) - room)
        if end:
            if self._paste_lost:
                self._lost(InputKind.TEXT, self._paste_lost)
            yield Pasted(self._paste.decode("utf-8", "replace").replace("\0", ""))
            self._paste = None
        return rest
