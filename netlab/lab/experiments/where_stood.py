"""At which lines a person's own server stands, for an experiment that did not see what it waited for."""

from __future__ import annotations

import time
from pathlib import Path

from netlab.dissect.text import safe
from netlab.lab.lab import Lab
from netlab.lab.standing.standings import Place, Stand, Standings
from netlab.lab.standing.words import names, who, within
from netlab.lab.state import Phase

_WATCHER = "experiment"
_PATIENCE = 1.0
_LOOK_EVERY = 0.02
_OWN = "own/"
_LARGEST = 1 << 20
_MOST = 6


def where_stood(lab: Lab) -> tuple[str, ...]:
    """``mine.py, line 14: while True:   ← client 1``; empty if the recipe serves, or nothing is known."""
    path = lab.own.path
    standings = _asked(lab) if path is not None else None
    if path is None or standings is None:
        return ()
    found: dict[Place, list[Stand]] = {}
    for stand in standings.stands:
        inside = [place for place in stand.places if place.file.startswith(_OWN)]
        inside.sort(key=lambda place: place.file != _OWN + path.name)  # else in what it imports from beside it
        if inside:
            found.setdefault(inside[0], []).append(stand)
    lines = [f"{_words(path.parent, place)}   ← {who(stands, lab.name_of)}" for place, stands in found.items()]
    if standings.waiting:
        lines.append(f"in the accept queue   ░ {names(standings.waiting, lab.name_of)}")
    return tuple(lines[:_MOST])


def _asked(lab: Lab) -> Standings | None:
    deadline = time.monotonic() + _PATIENCE
    try:
        while (found := lab.standing) is None and time.monotonic() < deadline and lab.state.phase is Phase.SERVING:
            lab.watch_standing(_WATCHER, True)
            time.sleep(_LOOK_EVERY)
    finally:
        lab.watch_standing(_WATCHER, False)
    return found


def _words(folder: Path, place: Place) -> str:
    file = place.file.removeprefix(_OWN)
    if not place.line:
        return f"{file}, class {place.of}: {within(place)}"
    try:
        with (folder / file).open(encoding="utf-8", errors="replace") as source:
            code = source.read(_LARGEST).split("\n")[place.line - 1].strip()
    except (OSError, IndexError):
        code = ""
    return f"{file}, line {place.line}: {safe(code)}" if code else f"{file}, line {place.line}"
