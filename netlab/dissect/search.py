"""Finding bytes: what a person may type, and a search that can report, be cancelled, and copies little at a time.

It reads through ``view(start, end)`` alone, so that it works on mapped files and on joined streams alike.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Protocol

BLOCK = 1 << 18
"""Bytes searched at a time: large enough for `bytes.find` to be fast, small enough to let go of the interpreter."""
LONGEST = 4096
"""The longest pattern."""


class Readable(Protocol):
    """Anything with a length and slices."""

    @property
    def length(self) -> int:
        """Its size in bytes."""

    def view(self, start: int, end: int) -> memoryview:
        """The bytes from ``start`` to ``end``."""


class PatternRefused(ValueError):
    """What was typed is not a pattern; the text says why."""


def parse_pattern(text: str) -> bytes:
    r"""Bytes of a pattern: ``b'\r\n'`` as Python, ``0x48 65`` or ``hex 4865`` as hex, else the text in UTF-8."""
    if text[:2] in ("b'", 'b"'):
        pattern = _python(text)
    elif text[:2].lower() == "0x" or text[:4].lower() == "hex ":
        pattern = _hex(text[2:] if text[:2].lower() == "0x" else text[4:])
    else:
        pattern = text.encode("utf-8", "surrogateescape")
    if not pattern:
        raise PatternRefused("type what to find: text, 0x48 65 6c or b'\\r\\n'")
    if len(pattern) > LONGEST:
        raise PatternRefused(f"the pattern has {len(pattern)} bytes; at most {LONGEST}")
    return pattern


def _python(text: str) -> bytes:
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        raise PatternRefused("not yet Python bytes: b'…' with its closing quote") from None
    if not isinstance(value, bytes):
        raise PatternRefused("Python bytes are wanted: b'…'")
    return value


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise PatternRefused("hex digits in pairs are wanted: 0x48 65 6c") from None


def parse_offset(text: str, current: int, length: int) -> int:
    """An offset typed as ``1234``, ``0x4d2``, ``+16``, ``-0x10`` (from the cursor) or ``50%``, within the bytes.

    `PatternRefused` says what is wrong.
    """
    typed = text.strip().replace("_", "")
    try:
        if typed.endswith("%"):
            target = round(length * float(typed[:-1]) / 100)
            return min(max(target, 0), max(length - 1, 0))
        number = int(typed.lstrip("+-"), 0)
    except (ValueError, OverflowError):
        raise PatternRefused("an offset such as 1234, 0x4d2, +16, -0x10 or 50%") from None
    target = current + number if typed[0] == "+" else current - number if typed[0] == "-" else number
    if not 0 <= target < max(length, 1):
        raise PatternRefused(f"{target} lies outside: offsets go from 0 to {max(length - 1, 0)}")
    return target


def find_bytes(
    source: Readable, pattern: bytes, start: int, end: int, *, backward: bool = False,
    go_on: Callable[[int], bool] = lambda done: True,
) -> int | None:  # fmt: skip
    """Where ``pattern`` first (``backward``: last) lies entirely between ``start`` and ``end``; None if it does not.

    ``go_on(bytes_done)`` is called for each block of `BLOCK` bytes; the search ends with None when it says False.
    """
    overlap = len(pattern) - 1
    done = 0
    while start + done + overlap < end:
        if backward:
            low, high = max(start, end - done - BLOCK - overlap), end - done
            at = bytes(source.view(low, high)).rfind(pattern)
        else:
            low, high = start + done, min(end, start + done + BLOCK + overlap)
            at = bytes(source.view(low, high)).find(pattern)
        if at >= 0:
            return low + at
        done += BLOCK
        if not go_on(done):
            return None
    return None
