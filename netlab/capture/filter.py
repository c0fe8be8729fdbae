r"""What the wire list's filter line means: a pure expression over segments.

Terms beside each other must all hold; ``or`` separates alternatives; ``not`` turns the next term round.

    flow 2      flow:2        →  ->  out  server      ←  <-  in  client
    >100  <=10  len>100       open  data  fin  reset  fate  fate:dropped
    hello  "two words"        b'\x00\xff'             0x48656c  hex:48 65 6c

Text is found in any case and as UTF-8, bytes exactly; in what crossed, and in what a fault changed or withheld. No
payload is copied to be searched.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from netlab.capture.model import Direction, Kind, Segment

Test = Callable[[Segment], bool]


class FilterError(ValueError):
    """A filter could not be understood; the text is one sentence that says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as it was typed. An empty one matches everything."""

    text: str
    alternatives: tuple[tuple[Test, ...], ...]

    def matches(self, segment: Segment) -> bool:
        """Whether the segment is to be shown."""
        return any(all(test(segment) for test in tests) for tests in self.alternatives)


def parse(text: str) -> Filter:
    """The filter that ``text`` says; `FilterError` when it says none."""
    alternatives: list[list[Test]] = [[]]
    at, negated = _skip_spaces(text, 0), False
    while at < len(text):
        word = _WORD.match(text, at)
        operation = word[0].lower() if word else ""
        if operation == "not":
            negated = not negated
        elif operation == "or":
            _need_term(negated or not alternatives[-1], text, at, "or")
            alternatives.append([])
        else:
            test, at = _term(text, at)
            alternatives[-1].append(_negation(test) if negated else test)
            negated = False
            at = _skip_spaces(text, at)
            continue
        at = _skip_spaces(text, at + len(operation))
    _need_term(bool(text.strip()) and (negated or not alternatives[-1]), text, at, "the end")
    return Filter(text, tuple(map(tuple, alternatives)))


def _need_term(missing: bool, text: str, at: int, before: str) -> None:
    if missing:
        raise FilterError(f"column {at + 1}: something to look for is missing before {before}")


def _skip_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _negation(test: Test) -> Test:
    return lambda segment: not test(segment)


def _term(text: str, at: int) -> tuple[Test, int]:
    """The test that begins at ``at``, and where it ends."""
    for pattern, meaning in _TERMS:
        if found := pattern.match(text, at):
            try:
                return meaning(found), found.end()
            except ValueError as error:
                raise FilterError(f"column {at + 1}: {error}") from None
    raise FilterError(f"column {at + 1}: the quotation mark is not closed")


def _flow(found: re.Match[str]) -> Test:
    number = int(found[1])
    return lambda segment: segment.flow.number == number


def _direction(found: re.Match[str]) -> Test:
    wanted = _DIRECTIONS[found[0].lower()]
    return lambda segment: segment.direction is wanted


def _size(found: re.Match[str]) -> Test:
    compare, size = _COMPARISONS[found[1]], int(found[2])
    return lambda segment: compare(segment.length, size)


def _kind(found: re.Match[str]) -> Test:
    wanted = Kind(found[0].lower())
    if wanted is Kind.DATA:  # a packet of others may end its stream and carry bytes at once
        return lambda segment: segment.kind is Kind.DATA or segment.length > 0
    return lambda segment: segment.kind is wanted


def _fate(found: re.Match[str]) -> Test:
    wanted = (found[1] or "").strip("\"'").lower()
    return lambda segment: bool(segment.fate) and wanted in segment.fate.lower()


def _python_bytes(found: re.Match[str]) -> Test:
    try:
        with warnings.catch_warnings(action="ignore"):  # b'\d' is taken as Python takes it, but without its warning
            value = ast.literal_eval(found[0])
    except (SyntaxError, ValueError):
        raise ValueError(f"{found[0]} is no Python bytes literal") from None
    return _contains(re.escape(value))


def _hex(found: re.Match[str]) -> Test:
    digits = re.sub(r"\s", "", found[1])
    if not digits or len(digits) % 2:
        raise ValueError("hex needs two digits for each byte")
    try:
        return _contains(re.escape(bytes.fromhex(digits)))
    except ValueError:
        raise ValueError(f"{digits} is not hex") from None


def _quoted(found: re.Match[str]) -> Test:
    return _text(found[0][1:-1])


def _bare(found: re.Match[str]) -> Test:
    return _text(found[0])


def _text(text: str) -> Test:
    return _contains(re.escape(text.encode("utf-8", "surrogateescape")), re.IGNORECASE)


def _contains(pattern: bytes, flags: re.RegexFlag = re.NOFLAG) -> Test:
    if not pattern:
        raise ValueError("nothing stands between the quotation marks")
    search = re.compile(pattern, flags).search  # a regular expression reads a memoryview in place

    def contained(segment: Segment) -> bool:
        return bool(search(segment.data)) or (segment.original is not None and bool(search(segment.original)))

    return contained


_WORD = re.compile(r"(?:not|or)(?!\S)", re.IGNORECASE)
_DIRECTIONS = {
    **dict.fromkeys(("→", "->", "out", "server"), Direction.TO_SERVER),
    **dict.fromkeys(("←", "<-", "in", "client"), Direction.TO_CLIENT),
}
_COMPARISONS = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "==": operator.eq,
}


def _compiled(pattern: str) -> re.Pattern[str]:
    """A term's pattern: it ends at a space or at the end."""
    return re.compile(rf"(?:{pattern})(?!\S)", re.IGNORECASE)


_TERMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Test]], ...] = (
    (_compiled(r"flow[: ]\s*(\d+)"), _flow),
    (_compiled("|".join(map(re.escape, _DIRECTIONS))), _direction),
    (_compiled(r"(?:len|size|bytes)?\s*(>=|<=|==|>|<|=)\s*(\d+)"), _size),
    (_compiled("|".join(kind.value for kind in Kind)), _kind),
    (_compiled(r"fate(?::(\"[^\"]*\"|'[^']*'|\S+))?"), _fate),
    (re.compile(r"b'(?:[^'\\]|\\.)*'|b\"(?:[^\"\\]|\\.)*\""), _python_bytes),
    (_compiled(r"hex:\s*((?:[0-9a-f]{2}\s+)*[0-9a-f]{2}|\S*)"), _hex),
    (_compiled(r"0x(\S+)"), _hex),
    (re.compile(r"\"[^\"]*\"|'[^']*'"), _quoted),
    (re.compile(r"(?!b?[\"'])\S+"), _bare),
)
"""Every kind of term: how it looks, and the test that it means. The first that fits counts."""
