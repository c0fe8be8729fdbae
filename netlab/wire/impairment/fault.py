"""What a fault is: a pure function of a segment, a clock and a random source; requests come out.

A fault opens nothing, waits for nothing and asks no clock of its own, so a test can script everything that it sees. How
to write one is taught by `netlab.wire.faults.noop`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment.requests import Request


@dataclass(frozen=True, slots=True)
class Passing:
    """A segment as it comes to a fault: some bytes of a stream, or one datagram.

    ``index`` counts the segments that this fault was shown before in this direction of this flow; ``offset`` their
    bytes. ``payload`` must not be kept beyond the call except inside requests. ``chosen`` is None where a fault acts on
    all segments; with a choice (``30%``, ``first 3``, ``every 2``) it says whether this is one of the chosen.
    """

    payload: memoryview
    transport: Transport
    direction: Direction
    flow: int
    index: int
    offset: int
    chosen: bool | None = None

    @property
    def is_end(self) -> bool:
        """Whether this is no segment but the end of a stream; a fault only says how long it holds that."""
        return self.transport is Transport.TCP and not self.payload


Fault = Callable[[Passing, float, Random], Iterable[Request]]
"""``fault(segment, clock, random)``. ``clock`` is in seconds and never goes back; it is the time at which the segment
comes to this fault, later than now where a fault before it in the chain holds it. One that remembers (a token bucket, a
count) is an object with ``__call__``; each direction of each flow has its own."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """A fault as it was asked for: what it is called, which way it acts (None: both), and how to begin a fresh one."""

    words: str
    direction: Direction | None
    begin: Callable[[], Fault]

    def acts(self, direction: Direction) -> bool:
        """Whether it acts on this direction."""
        return self.direction in (None, direction)

    def __str__(self) -> str:
        return f"{self.words} {self.direction.value}" if self.direction else self.words


def kept(before: Sequence[Impairment], wanted: Sequence[Impairment]) -> tuple[Impairment, ...]:
    """The wanted impairments, where there is one of the same words among those before, that one."""
    left = list(before)
    found = []
    for each in wanted:
        same = next((old for old in left if str(old) == str(each)), None)
        if same is not None:
            left.remove(same)
        found.append(same or each)
    return tuple(found)


TCP_ONLY = frozenset({Transport.TCP})
UDP_ONLY = frozenset({Transport.UDP})
EITHER = TCP_ONLY | UDP_ONLY

Begin = Callable[[], Fault]
"""Makes a fresh fault, for one direction of one flow."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault, as its file defines it and the screen offers it.

    ``usage`` names its numbers, ``example`` is what a form begins with, ``help`` says in a few words what it does;
    ``parse`` turns the words after the name into what makes the fault, and raises `ValueError` with a sentence;
    ``why_not`` says why it would be a lie on the other transports. A fault that ``sees_all`` is also shown the segments
    that were not chosen: what it began with a chosen one concerns those that follow.
    """

    name: str
    usage: str
    example: str
    help: str
    parse: Callable[[list[str]], Begin]
    transports: frozenset[Transport] = EITHER
    why_not: str = ""
    sees_all: bool = False
