"""Who stands at a line, in words: ``client 1, client 2``, ``6 threads``, ``the main thread, in serve_forever``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netlab.capture.model import Endpoint
from netlab.lab.standing.standings import Place, Stand

MOST_NAMES = 4
"""Clients that are named; the others are counted."""
_WHAT = {
    "main": ("the main thread", "main threads"),
    "loop": ("the event loop", "event loops"),
    "thread": ("a thread", "threads"),
    "task": ("a task", "tasks"),
    "process": ("a process", "processes"),
}
_CLIENT = "client "

Naming = Callable[[Endpoint], str]
"""A client's name in the lab, or its address."""


def names(clients: Sequence[Endpoint], naming: Naming, most: int = MOST_NAMES) -> str:
    """Clients by their names; of many the first ones, and how many more there are."""
    found = sorted(map(naming, clients), key=_order)
    shown, more = found[:most], len(found) - most
    if len(shown) > 1 and all(_numbered(name) for name in shown):
        words = "clients " + ", ".join(name.removeprefix(_CLIENT) for name in shown)
    else:
        words = ", ".join(shown)
    return f"{words} and {more} more" if more > 0 else words


def who(stands: Sequence[Stand], naming: Naming, most: int = MOST_NAMES) -> str:
    """Who stands there: the clients that are served, else the threads, processes and tasks that serve none."""
    clients = [client for stand in stands for client in stand.clients]
    words = [names(clients, naming, most)] if clients else []
    for what in dict.fromkeys(stand.what for stand in stands):
        if others := sum(stand.others for stand in stands if stand.what == what):
            one, many = _WHAT.get(what, (what, what))
            words.append(one if others == 1 else f"{others} {many}")
    return ", ".join(words)


def within(place: Place) -> str:
    """What runs, if it is not a line of the file but an inherited method."""
    return "" if place.line else f"in {place.method}"


def _numbered(name: str) -> bool:
    return name.startswith(_CLIENT) and name.removeprefix(_CLIENT).isdigit()


def _order(name: str) -> tuple[bool, int, str]:
    number = int(name.removeprefix(_CLIENT)) if _numbered(name) else 0
    return (not number, number, name)
