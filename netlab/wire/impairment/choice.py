"""Which segments a fault acts on: those that a filter means, each with a probability, every N-th, or only the first
few; and on which flows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from netlab.capture.model import Endpoint, Flow, Kind, Segment
from netlab.wire.impairment.fault import Begin, Fault, Passing
from netlab.wire.impairment.requests import Forward, Request

if TYPE_CHECKING:
    from random import Random

Test = Callable[[Segment], bool]
"""Whether a filter means a segment."""
FIRST = "on the whole wire: all flows, both directions"
"""Where ``first 3`` counts."""
FIRST_EACH = "in each direction of each flow"
"""Where ``first 3 each`` and ``every 2`` count."""


class Condition(Enum):
    """One condition for the segments that a fault acts on; the value is how it is written around its number."""

    PROBABILITY = "{}%"
    FIRST = "first {}"
    FIRST_EACH = "first {} each"
    EVERY = "every {}"
    FLOWS = "{}% flows"

    def words(self, count: str) -> str:
        """As it is written, with a number that may still be missing."""
        return self.value.format(count)


@dataclass(frozen=True, slots=True)
class SegmentChoice:
    """All conditions that are not None must hold: ``probability`` (0 to 1), ``every`` N-th, ``first`` N.

    ``first`` counts what the fault acts on: once for the whole wire, all flows and both directions; ``each`` counts in
    each direction of each flow by itself. ``flows`` is the probability with which a direction of a flow is chosen at
    all; the other conditions count where it is.
    """

    probability: float | None = None
    first: int | None = None
    every: int | None = None
    each: bool = False
    flows: float | None = None

    @property
    def conditions(self) -> dict[Condition, str]:
        """The conditions, with the number of each as it is written."""
        share, flows = (None if each is None else f"{each * 100:g}" for each in (self.probability, self.flows))
        first = Condition.FIRST_EACH if self.each else Condition.FIRST
        numbers = {Condition.PROBABILITY: share, first: self.first, Condition.EVERY: self.every}
        numbers |= {Condition.FLOWS: flows}
        return {condition: str(number) for condition, number in numbers.items() if number is not None}

    def takes(self, index: int, random: Random) -> bool:
        """Whether the segment with this index (from 0, in its direction of its flow) is chosen, ``first`` aside."""
        if self.every is not None and (index + 1) % self.every:
            return False
        return self.probability is None or random.random() < self.probability

    @property
    def of_segments(self) -> SegmentChoice:
        """The conditions for segments alone."""
        return replace(self, flows=None)

    def counter(self) -> Callable[[], Left]:
        """Makes the count for each direction of each flow: one for all, or with ``each`` one of its own."""
        if self.each or self.first is None:
            return lambda: Left(self.first)
        shared = Left(self.first)
        return lambda: shared


@dataclass(slots=True)
class Left:
    """How often a fault may still act; None if without limit."""

    count: int | None


class Matching:
    """Counts, in one direction of one flow, the segments that a filter means."""

    def __init__(self, test: Test) -> None:
        self._test, self._count = test, 0

    def index(self, segment: Passing) -> int | None:
        """The index of a segment among those that are meant; None if it is not."""
        if not self._test(_as_segment(segment)):
            return None
        self._count += not segment.is_end
        return self._count - 1


_NOWHERE = Endpoint("", 0)


def _as_segment(passing: Passing) -> Segment:
    """What a filter looks at. What faults before this one did to it is not known."""
    flow = Flow(passing.flow, passing.transport, _NOWHERE, _NOWHERE)
    kind, payload = Kind.FIN if passing.is_end else Kind.DATA, passing.payload
    return Segment(0, 0, flow, passing.direction, kind, len(payload), payload)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A fault that acts on chosen segments and lets the others pass.

    The end of a stream is chosen only by a filter that means it (``fin``), without another condition.
    """

    fault: Fault
    choice: SegmentChoice
    left: Left
    sees_all: bool = False
    matching: Matching | None = None

    def _takes(self, segment: Passing, random: Random) -> bool:
        if segment.is_end:
            every = self.choice.of_segments == SegmentChoice()
            return every and self.matching is not None and self.matching.index(segment) is not None
        index = segment.index if self.matching is None else self.matching.index(segment)
        return index is not None and self.choice.takes(index, random)

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Act or pass on."""
        chosen = self.left.count != 0 and self._takes(segment, random)
        if not (chosen or self.sees_all):
            return (Forward(segment.payload),)
        requests = tuple(self.fault(replace(segment, chosen=chosen), clock, random))
        if chosen and self.left.count is not None and _acted(requests, segment):
            self.left.count -= 1
        return requests


def _acted(requests: tuple[Request, ...], segment: Passing) -> bool:
    """Whether a fault did more than pass a segment on: ``cut after 10`` has not before the eleventh byte."""
    return requests != (Forward(segment.payload),)


@dataclass(slots=True)
class OfSomeFlows:
    """A fault that acts on a share of the flows; each direction is chosen by itself, by its first segment."""

    fault: Fault
    share: float
    acts: bool | None = None

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Act as if for all flows, or pass everything on, also the end."""
        if self.acts is None:
            self.acts = random.random() < self.share
        return self.fault(segment, clock, random) if self.acts else (Forward(segment.payload),)


def chosen(begin: Begin, choice: SegmentChoice, sees_all: bool, test: Test | None = None) -> Begin:
    """A fault for chosen flows and segments, out of one for all; ``test`` says which segments count."""
    share, counter = choice.flows, choice.counter()

    def some() -> Fault:
        return Chosen(begin(), choice, counter(), sees_all, None if test is None else Matching(test))

    inner = begin if test is None and choice.of_segments == SegmentChoice() else some
    return inner if share is None else lambda: OfSomeFlows(inner(), share)


def take_choice(words: list[str]) -> tuple[SegmentChoice, list[str]]:
    """The choice among the words, and the other words. Raises `ValueError` with a sentence."""
    probability, first, every, each, flows, left = None, None, None, False, None, []
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        if re.fullmatch(r"\d+(\.\d+)?%", word):
            share = float(word[:-1]) / 100
            if share > 1:
                raise ValueError(f"{word} is more than all of them")
            if rest[-1:] == ["flows"]:
                flows = share
                rest.pop()
            else:
                probability = share
        elif word == "first":
            first = _number(word, rest)
            each = rest[-1:] == ["each"]
            rest = rest[:-1] if each else rest
        elif word == "every":
            every = _number(word, rest)
        elif word == "each":
            raise ValueError("write each after a first: first 3 each")
        elif word == "flows":
            raise ValueError("write flows after a share: 30% flows")
        else:
            left.append(word)
    return SegmentChoice(probability, first, every, each, flows), left


def _number(word: str, rest: list[str]) -> int:
    """The number behind a word; ``rest`` has what follows, last to first."""
    number = rest.pop() if rest else ""
    if not number.isdecimal() or int(number) < 1:
        raise ValueError(f"write a number after {word}: {word} 3")
    return int(number)
