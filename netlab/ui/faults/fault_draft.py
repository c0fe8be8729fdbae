"""A fault as a form holds it, and the words that ask for it. Pure: it knows no widget and no wire."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment import catalog
from netlab.wire.impairment.choice import take_choice
from netlab.wire.impairment.fault import FaultKind


class Which(Enum):
    """Which segments a fault acts on. The value is how the form calls it."""

    ALL = "all"
    SOME = "some %"
    FIRST = "first"
    FIRST_EACH = "first each"
    EVERY = "every n-th"


@dataclass(frozen=True, slots=True)
class Draft:
    """A fault that is being put together: its kind, its numbers, which way, and which segments (``count`` of them)."""

    kind: FaultKind
    numbers: str = ""
    way: Direction | None = None
    which: Which = Which.ALL
    count: str = ""

    @classmethod
    def of(cls, spec: str) -> Draft:
        """What a fault says that can be asked for. Raises `ValueError`."""
        words = spec.split()
        way = next((catalog.ARROWS[word] for word in words if word in catalog.ARROWS), None)
        name, *rest = [word for word in words if word not in catalog.ARROWS]
        choice, numbers = take_choice(rest)
        draft = cls(catalog.kind_named(name), " ".join(numbers), way)
        if choice.probability is not None:
            return replace(draft, which=Which.SOME, count=f"{choice.probability * 100:g}")
        if choice.first is not None:
            which = Which.FIRST_EACH if choice.each else Which.FIRST
            return replace(draft, which=which, count=str(choice.first))
        if choice.every is not None:
            return replace(draft, which=Which.EVERY, count=str(choice.every))
        return draft

    @classmethod
    def example(cls, kind: FaultKind) -> Draft:
        """What a form begins with."""
        return cls.of(f"{kind.name} {kind.example}")

    @property
    def spec(self) -> str:
        """How it is asked for."""
        count = self.count.strip() or "?"
        chosen = {
            Which.ALL: "",
            Which.SOME: f"{count}%",
            Which.FIRST: f"first {count}",
            Which.FIRST_EACH: f"first {count} each",
            Which.EVERY: f"every {count}",
        }
        arrow = {None: "", Direction.TO_SERVER: "->", Direction.TO_CLIENT: "<-"}
        words = (self.kind.name, self.numbers.strip(), chosen[self.which], arrow[self.way])
        return " ".join(filter(None, words))

    @property
    def counted(self) -> str:
        """Where its segments are counted; empty where they are not."""
        if self.which is Which.FIRST:
            return f"counts {catalog.FIRST}"
        return f"counts {catalog.FIRST_EACH}" if self.which in (Which.FIRST_EACH, Which.EVERY) else ""

    def problem(self, transport: Transport) -> str:
        """What is wrong with it, in a sentence, or nothing."""
        try:
            catalog.parse(self.spec, transport)
        except ValueError as error:
            return str(error)
        return ""
