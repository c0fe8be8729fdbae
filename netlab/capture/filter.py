r"""What a filter of segments means: a pure expression, for the wire list and for what is held by hand.

    flow 2      flow:2        →  ->  out  server      ←  <-  in  client
    >100  <=10  len>100       open  data  fin  reset  fate  fate:dropped
    "two words"  'Hello'      b'\x00\xff'             0x48656c  hex:48 65 6c

``not`` binds closest, then ``and`` (which may be left out), then ``or``; parentheses group. Text stands in quotation
marks: a word that is no term is an error, so that a slip is not taken for a text that is nowhere.

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

from netlab.capture.filtering.terms import (
    AllOf,
    AnyOf,
    Holding,
    NotThat,
    OfFlow,
    OfKind,
    OfLength,
    OneWay,
    Remarked,
    Term,
)
from netlab.capture.model import Direction, Kind, Segment

Test = Callable[[Segment], bool]


class FilterError(ValueError):
    """A filter could not be understood; the text is one sentence that says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as it was typed. An empty one matches everything."""

    text: str
    term: Term

    @property
    def matches(self) -> Test:
        """Whether a segment is meant."""
        return self.term.matches


def parse(text: str) -> Filter:
    """The filter written in ``text``; `FilterError` if it is not one."""
    if not text.strip():
        return Filter(text, AllOf())
    return Filter(text, _FilterParser(text).whole())


class _FilterParser:
    """Reads an expression from left to right; ``at`` is the place of the next word."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = self._depth = 0
        self._go_to(0)

    def _go_to(self, at: int) -> None:
        while at < len(self._text) and self._text[at].isspace():
            at += 1
        self._at = at

    @property
    def _next(self) -> str:
        """An operator or a parenthesis, if one comes next; empty at the end; else anything else."""
        found = _OPERATOR.match(self._text, self._at)
        return found[0].lower() if found else self._text[self._at : self._at + 1] and "term"

    def _take(self, operator: str) -> bool:
        taken = self._next == operator
        if taken:
            self._go_to(self._at + len(operator))
        return taken

    def whole(self) -> Term:
        term = self._any()
        if self._next == ")":
            raise self._error("this parenthesis was not opened")
        return term

    def _any(self) -> Term:
        terms = [self._all()]
        while self._take("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else AnyOf(tuple(terms))

    def _all(self) -> Term:
        terms = [self._one()]
        while self._take("and") or self._next in ("not", "(", "term"):
            terms.append(self._one())
        return terms[0] if len(terms) == 1 else AllOf(tuple(terms))

    def _one(self) -> Term:
        wanted = True
        while self._take("not"):
            wanted = not wanted
        term = self._group() if self._next == "(" else self._term()
        return term if wanted else NotThat(term)

    def _group(self) -> Term:
        opened = self._at
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"more than {DEEPEST} parentheses are open")
        self._take("(")
        term = self._any()
        if not self._take(")"):
            self._at = opened
            raise self._error("this parenthesis is not closed")
        self._depth -= 1
        return term

    def _term(self) -> Term:
        before = self._next
        if before != "term":
            raise self._error(f"something to look for is missing before {before or 'the end'}")
        for pattern, meaning in _TERMS:
            if found := pattern.match(self._text, self._at):
                try:
                    term = meaning(found)
                except ValueError as error:
                    raise self._error(str(error)) from None
                self._go_to(found.end())
                return term
        raise self._error(_not_understood(self._text[self._at :]))

    def _error(self, sentence: str) -> FilterError:
        return FilterError(f"column {self._at + 1}: {sentence}")


def _not_understood(rest: str) -> str:
    """Why no term begins here, and what to write instead."""
    if re.match(r"b?[\"']", rest, re.IGNORECASE):
        return "the quotation mark is not closed"
    word = _BARE.match(rest)
    name = word[0] if word else rest[:1]
    for beginning, example in _EXAMPLES.items():
        if re.fullmatch(rf"{beginning}(?:[:=<>].*)?", name, re.IGNORECASE):
            return f"{name} is not understood; it is written as in {example}"
    mark = "'" if '"' in name else '"'
    return f"{name} is not understood; to look for the text, write {mark}{name}{mark}"


def _flow(found: re.Match[str]) -> Term:
    return OfFlow(int(found[1]))


def _direction(found: re.Match[str]) -> Term:
    return OneWay(_DIRECTIONS[found[0].lower()])


def _size(found: re.Match[str]) -> Term:
    return OfLength(_COMPARISONS[found[1]], int(found[2]))


def _kind(found: re.Match[str]) -> Term:
    return OfKind(Kind(found[0].lower()))


def _fate(found: re.Match[str]) -> Term:
    return Remarked((found[1] or "").strip("\"'").lower())


def _python_bytes(found: re.Match[str]) -> Term:
    try:
        with warnings.catch_warnings(action="ignore"):  # b'\d' is taken as Python takes it, but without its warning
            value = ast.literal_eval(found[0])
    except (SyntaxError, ValueError):
        raise ValueError(f"{found[0]} is not a Python bytes literal") from None
    return _holding(value)


def _hex(found: re.Match[str]) -> Term:
    digits = re.sub(r"\s", "", found[1])
    if not digits or len(digits) % 2:
        raise ValueError("hex needs two digits for each byte")
    try:
        return _holding(bytes.fromhex(digits))
    except ValueError:
        raise ValueError(f"{digits} is not hex") from None


def _quoted(found: re.Match[str]) -> Term:
    return _text(found[0][1:-1])


def _text(text: str) -> Term:
    return _holding(text.encode("utf-8", "surrogateescape"), any_case=True)


def _holding(wanted: bytes, *, any_case: bool = False) -> Term:
    if not wanted:
        raise ValueError("nothing stands between the quotation marks")
    return Holding(wanted, any_case=any_case)


DEEPEST = 50
"""Parentheses within each other."""
_ENDS = r"(?![^\s()])"
_OPERATOR = re.compile(rf"(?:and|or|not){_ENDS}|[()]", re.IGNORECASE)
_BARE = re.compile(r"[^\s()]+")
_EXAMPLES = {"flow": "flow 2", "hex": "hex:48656c", "fate": "fate:dropped", "(?:len|size|bytes)?": "len>100"}
"""What a term is like that a person seems to mean, by the expression that it begins with."""
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
    """A term's pattern: it ends at a space, a parenthesis or the end."""
    return re.compile(rf"(?:{pattern}){_ENDS}", re.IGNORECASE)


_TERMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Term]], ...] = (
    (_compiled(r"flow[: ]\s*(\d+)"), _flow),
    (_compiled("|".join(map(re.escape, _DIRECTIONS))), _direction),
    (_compiled(r"(?:len|size|bytes)?\s*(>=|<=|==|>|<|=)\s*(\d+)"), _size),
    (_compiled("|".join(kind.value for kind in Kind)), _kind),
    (_compiled(r"fate(?::(\"[^\"]*\"|'[^']*'|[^\s()\"']+))?"), _fate),
    (re.compile(r"b'(?:[^'\\]|\\.)*'|b\"(?:[^\"\\]|\\.)*\""), _python_bytes),
    (_compiled(r"hex:\s*((?:[0-9a-f]{2}\s+)*[0-9a-f]{2}|[^\s()]*)"), _hex),
    (_compiled(r"0x([^\s()]+)"), _hex),
    (re.compile(r"\"[^\"]*\"|'[^']*'"), _quoted),
)
"""Every kind of term: how it looks, and what it means. The first that fits counts."""
