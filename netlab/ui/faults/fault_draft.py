"""A fault as a form holds it, and the words that ask for it. Pure: it knows no widget and no wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment import catalog
from netlab.wire.impairment.choice import FIRST, FIRST_EACH, Condition
from netlab.wire.impairment.fault import FaultKind
from netlab.wire.impairment.spec import join, split


class Which(Enum):
    """Which segments a fault acts on. The value is what the form calls it."""

    ALL = "all"
    SOME = "some %"
    FIRST = "first"
    FIRST_EACH = "first each"
    EVERY = "every n-th"


_CONDITIONS = {
    Which.SOME: Condition.PROBABILITY,
    Which.FIRST: Condition.FIRST,
    Which.FIRST_EACH: Condition.FIRST_EACH,
    Which.EVERY: Condition.EVERY,
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A fault that is being put together: its kind, its numbers, which way, and which segments (``count`` of them)."""

    kind: FaultKind
    numbers: str = ""
    way: Direction | None = None
    which: Which = Which.ALL
    count: str = ""

    @classmethod
    def of(cls, text: str) -> Draft:
        """A fault as a form shows it. Of several conditions one is a field, the others stay in the numbers.

        Raises `ValueError` with a sentence.
        """
        spec = split(text)
        if spec is None:
            raise ValueError("none is not a fault")
        conditions = spec.choice.conditions
        which = next((which for which, condition in _CONDITIONS.items() if condition in conditions), Which.ALL)
        count = conditions.pop(_CONDITIONS[which]) if which in _CONDITIONS else ""
        others = (condition.words(number) for condition, number in conditions.items())
        numbers = " ".join((*spec.numbers, *others))
        return cls(catalog.kind_named(spec.name), numbers, spec.direction, which, count)

    @classmethod
    def example(cls, kind: FaultKind) -> Draft:
        """What a form begins with."""
        return cls.of(f"{kind.name} {kind.example}")

    @property
    def spec(self) -> str:
        """How it is asked for."""
        condition = _CONDITIONS.get(self.which)
        choice = condition.words(self.count.strip() or "?") if condition is not None else ""
        return join(self.kind.name, self.numbers, choice, self.way)

    @property
    def counted(self) -> str:
        """Where its segments are counted; empty if they are not."""
        if self.which is Which.FIRST:
            return f"counts {FIRST}"
        return f"counts {FIRST_EACH}" if self.which in (Which.FIRST_EACH, Which.EVERY) else ""

    def problem(self, transport: Transport) -> str:
        """What is wrong with it, in a sentence, or nothing."""
        try:
            catalog.parse(self.spec, transport)
        except ValueError as error:
            return str(error)
        return ""
