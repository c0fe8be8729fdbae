"""A fault as the form holds it, and as the text of a ``:fault`` command. Pure: it knows no widget and no wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment import catalog, own_fault
from netlab.wire.impairment.choice import FIRST, FIRST_EACH, Condition
from netlab.wire.impairment.fault import FaultKind
from netlab.wire.impairment.spec import join, split


class Which(Enum):
    """Which segments a fault acts on. The value is its label in the form."""

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
    """A fault that is being edited: its kind, numbers and direction, and which segments (``count``) it acts on.

    ``filter`` says which of them count; empty: all.
    """

    kind: FaultKind
    numbers: str = ""
    way: Direction | None = None
    which: Which = Which.ALL
    count: str = ""
    filter: str = ""

    @classmethod
    def of(cls, text: str) -> Draft:
        """A fault as the form shows it. One condition has a field of its own, any others stay in the numbers.

        Raises `ValueError` with a sentence.
        """
        spec = split(text)
        if spec is None:
            raise ValueError("'none' is not a fault")
        conditions = spec.choice.conditions
        which = next((which for which, condition in _CONDITIONS.items() if condition in conditions), Which.ALL)
        count = conditions.pop(_CONDITIONS[which]) if which in _CONDITIONS else ""
        others = (condition.words(number) for condition, number in conditions.items())
        numbers = " ".join((*spec.numbers, *others))
        if own_fault.is_file(spec.name):
            return cls(own_fault.OWN, f"{spec.name} {numbers}".rstrip(), spec.direction, which, count, spec.filter)
        return cls(catalog.kind_named(spec.name), numbers, spec.direction, which, count, spec.filter)

    @classmethod
    def example(cls, kind: FaultKind) -> Draft:
        """The form's first draft of a kind."""
        return cls(kind) if kind is own_fault.OWN else cls.of(f"{kind.name} {kind.example}")

    @property
    def spec(self) -> str:
        """Its text in a ``:fault`` command."""
        condition = _CONDITIONS.get(self.which)
        choice = condition.words(self.count.strip() or "?") if condition is not None else ""
        return join(self.kind.name, self.numbers, choice, self.way, self.filter.strip())

    @property
    def counted(self) -> str:
        """In what scope its segments are counted; empty if they are not."""
        if self.which is Which.FIRST:
            return f"counts {FIRST}"
        return f"counts {FIRST_EACH}" if self.which in (Which.FIRST_EACH, Which.EVERY) else ""

    def problem(self, transport: Transport) -> str:
        """What is wrong with it, in a sentence; empty if nothing is."""
        try:
            if self.kind is own_fault.OWN and not own_fault.is_file(self.numbers.partition(" ")[0]):
                self.kind.parse([])
            catalog.parse(self.spec, transport)
        except ValueError as error:
            return str(error)
        return ""
