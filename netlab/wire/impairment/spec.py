"""A fault as people write it: ``NAME … [30%] [every N] [first N [each]] [30% flows] [-> | <-] [if FILTER]``.

The only place that knows this grammar: `split` takes the words apart, `join` puts them together. It knows no fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from netlab.capture.model import Direction
from netlab.wire.impairment.choice import FIRST, FIRST_EACH, SegmentChoice, take_choice

ARROWS = {
    "->": Direction.TO_SERVER,
    "→": Direction.TO_SERVER,
    "<-": Direction.TO_CLIENT,
    "←": Direction.TO_CLIENT,
}
NONE = "none"
"""Asks for a clean wire."""

GRAMMAR = (
    "add -> or <- for one direction; for some segments only: 30%, every 2, "
    f"first 3 (three {FIRST}) or first 3 each (three {FIRST_EACH}); for some flows only: 30% flows; last, if and a "
    "filter as in the wire list: delay 1s if 'Hello' or >100; your own fault is named by its file: ./mine.py"
)
_IF = re.compile(r"(?:^|\s)if(?:\s+|$)")


@dataclass(frozen=True, slots=True)
class Spec:
    """What the words of a fault say: its name, its own numbers, which segments, and which way (None: both).

    ``words`` is all of it as it was written, without the way and the ``filter``, whose segments alone count (empty:
    all do).
    """

    name: str
    numbers: tuple[str, ...]
    choice: SegmentChoice
    direction: Direction | None
    words: str
    filter: str = ""


def split(text: str) -> Spec | None:
    """Take a fault's words apart; None for ``none``. Raises `ValueError` with a sentence for a wrong choice."""
    head, *condition = _IF.split(text, maxsplit=1)
    if condition and not condition[0].strip():
        raise ValueError("write a filter after if: delay 1s if 'Hello'")
    written = head.split()
    direction = next((ARROWS[word] for word in written if word in ARROWS), None)
    words = [word for word in written if word not in ARROWS]
    if words == [NONE] and not condition:
        return None
    choice, numbers = take_choice(words[1:])
    return Spec(
        words[0] if words else "", tuple(numbers), choice, direction, " ".join(words), "".join(condition).strip()
    )


def join(name: str, numbers: str, choice: str, direction: Direction | None, condition: str = "") -> str:
    """The words that `split` takes apart; what is empty is left out."""
    arrow = {None: "", Direction.TO_SERVER: "->", Direction.TO_CLIENT: "<-"}[direction]
    condition = condition and f"if {condition}"
    return " ".join(filter(None, (name, numbers.strip(), choice, arrow, condition)))
