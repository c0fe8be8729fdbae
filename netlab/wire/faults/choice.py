"""Which segments a fault acts on: each with a probability, the first few, or every so many."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.faults.contract import Fault, Passing
from netlab.wire.requests import Forward, Request


@dataclass(frozen=True, slots=True)
class Choice:
    """All conditions that are not None must hold: ``probability`` (0 to 1), ``first`` N, ``every`` N-th."""

    probability: float | None = None
    first: int | None = None
    every: int | None = None

    def takes(self, index: int, random: Random) -> bool:
        """Whether the fault acts on the segment with this index, from 0."""
        if self.first is not None and index >= self.first:
            return False
        if self.every is not None and (index + 1) % self.every:
            return False
        return self.probability is None or random.random() < self.probability


@dataclass(frozen=True, slots=True)
class Chosen:
    """A fault that acts on chosen segments and lets the others pass."""

    fault: Fault
    choice: Choice

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Act or pass on."""
        if self.choice.takes(segment.index, random):
            return self.fault(segment, clock, random)
        return (Forward(segment.payload),)


def take_choice(words: list[str]) -> tuple[Choice, list[str]]:
    """The choice among the words, and the words that are left. Raises `ValueError` with a sentence."""
    probability, first, every, left = None, None, None, []
    rest = iter(words)
    for word in rest:
        if re.fullmatch(r"\d+(\.\d+)?%", word):
            probability = float(word[:-1]) / 100
            if probability > 1:
                raise ValueError(f"{word} is more than all of them")
        elif word in ("first", "every"):
            number = next(rest, "")
            if not number.isdecimal() or int(number) < 1:
                raise ValueError(f"write a number after {word}: {word} 3")
            first, every = (int(number), every) if word == "first" else (first, int(number))
        else:
            left.append(word)
    return Choice(probability, first, every), left
