"""What stands beside the lines of a page: the clients whose threads, processes or tasks stand there.

Pure: a page and the standings go in, texts by line come out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from netlab.lab.standing.standings import Place, Stand, Standings
from netlab.lab.standing.words import Naming, names, who, within
from netlab.ui.reader.pages import Page

_ACCEPTS = re.compile(r"^(?!\s*(?:def|async def|class|#))[^#]*\b(?:accept|get_request|start_server)\(", re.MULTILINE)
"""A line that takes clients out of the accept queue, or lets that be done."""
_WAIT = "░"
"""The accept queue, as in the swim lanes."""


@dataclass(frozen=True, slots=True)
class StandingMark:
    """What stands beside a line of a page: its number in its file, and who, in full and in fewer words."""

    number: int
    texts: tuple[str, ...]
    served: bool = True
    """Whether it is about a client."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of a page by its lines, from 0. ``elsewhere`` names clients that stand on no line of it."""

    lines: Mapping[int, StandingMark] = field(default_factory=lambda: MappingProxyType({}))
    elsewhere: str = ""


def marks_of(page: Page, standings: Standings, naming: Naming) -> Marks:
    """The marks of a page."""
    starts, here = dict(page.files), defaultdict[int, list[tuple[Stand, Place]]](list)
    elsewhere: dict[Place, list[Stand]] = {}
    for stand in standings.stands:
        place = next((place for place in stand.places if place.file in starts), None)
        line = _line(page, place, starts) if place is not None else None
        if place is not None and line is not None:
            here[line].append((stand, place))
        elif stand.clients:
            elsewhere.setdefault(stand.places[0], []).append(stand)
    lines = {line: _mark(page, line, found, naming) for line, found in here.items()}
    if standings.waiting and (line := _accepting(page, here)) is not None:
        before = lines.get(line)
        said = before.texts if before is not None else ("",)
        one = len(standings.waiting) == 1
        waits = f"{_WAIT} {names(standings.waiting, naming)}"
        longer = [
            f"{said[0]} {waits}{more}".lstrip() for more in (" in the accept queue", " waits" if one else " wait")
        ]
        lines[line] = StandingMark(_number(page, line), (*longer, f"{said[-1]} {waits}".lstrip()))
    return Marks(lines, ", ".join(_stands_at(place, stands, naming) for place, stands in elsewhere.items()))


def _mark(page: Page, line: int, found: list[tuple[Stand, Place]], naming: Naming) -> StandingMark:
    stands = [stand for stand, _ in found]
    inside = dict.fromkeys(filter(None, (within(place) for _, place in found)))
    text = "← " + who(stands, naming)
    texts = dict.fromkeys((", ".join([text, *inside]), text))
    return StandingMark(_number(page, line), tuple(texts), any(stand.clients for stand in stands))


def _stands_at(place: Place, stands: list[Stand], naming: Naming) -> str:
    line = f" {place.line}" if place.line else ""
    return f"{who(stands, naming, 2)}: {place.file.removeprefix('own/')}{line}"


def _line(page: Page, place: Place, starts: Mapping[str, int]) -> int | None:
    """The line of the page, from 0, at which something stands; None if the page does not go that far."""
    if place.line:
        line = starts[place.file] + place.line - 1
        return line if line <= page.text.count("\n") else None
    return _classes(page).get((place.file, place.of))


def _accepting(page: Page, here: Mapping[int, list[tuple[Stand, Place]]]) -> int | None:
    """The line that accepts clients; if none does so by its words, the one at which the main thread stands."""
    found = list(_accepts(page.text)) if page.files else []
    standing = [line for line, at in here.items() if any(stand.what in ("main", "loop") for stand, _ in at)]
    return next((line for line in [*(each for each in found if each in standing), *found, *standing]), None)


@lru_cache(maxsize=4)
def _accepts(text: str) -> tuple[int, ...]:
    return tuple(number for number, line in enumerate(text.split("\n")) if _ACCEPTS.match(line))


@lru_cache(maxsize=4)
def _classes(page: Page) -> Mapping[tuple[str, str], int]:
    """The lines at which the classes of a page begin, by file and name."""
    return {(_file(page, line)[0], name): line for line, name in _class_lines(page.text)}


def _class_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n")):
        if found := re.match(r"\s*class (\w+)", line):
            yield number, found[1]


def _file(page: Page, line: int) -> tuple[str, int]:
    """The file that a line of the page belongs to, and the number of lines before that."""
    return next((file for file in reversed(page.files) if file[1] <= line), ("", 0))


def _number(page: Page, line: int) -> int:
    return line - _file(page, line)[1] + 1
