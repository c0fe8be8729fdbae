"""A fault as people write it: ``NAME … [30%] [every N] [first N [each]] [30% flows] [-> | <-]``.

The only place that knows this grammar: `split` takes the words apart, `join` puts them together. It knows no fault.
"""

from __future__ import annotations

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
    f"first 3 (three {FIRST}) or first 3 each (three {FIRST_EACH}); for some flows only: 30% flows"
)


@dataclass(frozen=True, slots=True)
class Spec:
    """What the words of a fault say: its name, its own numbers, which segments, and which way (None: both).

    ``words`` is all of it as it was written, without the way.
    """

    name: str
    numbers: tuple[str, ...]
    choice: SegmentChoice
    direction: Direction | None
    words: str


def split(text: str) -> Spec | None:
    """Take a fault's words apart; None for ``none``. Raises `ValueError` with a sentence for a wrong choice."""
    written = text.split()
    direction = next((ARROWS[word] for word in written if word in ARROWS), None)
    words = [word for word in written if word not in ARROWS]
    if words == [NONE]:
        return None
    choice, numbers = take_choice(words[1:])
    return Spec(words[0] if words else "", tuple(numbers), choice, direction, " ".join(words))


def join(name: str, numbers: str, choice: str, direction: Direction | None) -> str:
    """The words that `split` takes apart; what is empty is left out."""
    arrow = {None: "", Direction.TO_SERVER: "->", Direction.TO_CLIENT: "<-"}[direction]
    return " ".join(filter(None, (name, numbers.strip(), choice, arrow)))
