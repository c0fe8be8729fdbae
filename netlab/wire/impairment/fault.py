"""What a fault is: a pure function from a segment, a clock and a random source to requests.

A fault opens nothing, waits for nothing and reads no clock of its own, so a test can script everything that it sees.
`netlab.wire.faults.noop` and docs/adding-a-fault.md teach how to write one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment.requests import Request

if TYPE_CHECKING:  # a wire without faults needs no random numbers
    from random import Random


@dataclass(frozen=True, slots=True)
class Passing:
    """A segment as it comes to a fault: some bytes of a stream, or one datagram.

    ``index`` counts the segments that this fault saw before in this direction of this flow; ``offset`` their bytes.
    ``payload`` must not be kept beyond the call except inside requests. ``chosen`` is None if the fault acts on all
    segments; with a choice (``30%``, ``first 3``, ``every 2``) it says whether this segment is chosen.
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
        """Whether this is not a segment but the end of a stream: a fault can only hold it."""
        return self.transport is Transport.TCP and not self.payload


Fault: TypeAlias = "Callable[[Passing, float, Random], Iterable[Request]]"
"""``fault(segment, clock, random)``. ``clock`` is in seconds and never goes back; it is the time at which the segment
reaches this fault, later than now if a fault before it in the chain holds it. A fault that remembers something (a
token bucket, a count) is an object with ``__call__``; each direction of each flow has its own."""


@dataclass(frozen=True, slots=True)
class FaultFile:
    """The file of a person's own fault, as it was when it was read, and what went wrong in it since."""

    path: str
    stamp: tuple[int, int] | None
    complaints: deque[str] = field(default_factory=lambda: deque(maxlen=1))


@dataclass(frozen=True, slots=True)
class Impairment:
    """A fault as it was asked for: its words, which way it acts (None: both), and how to make a fresh one.

    ``filter`` says for which segments it was asked for; empty for all. ``file`` is that of a person's own fault.
    """

    words: str
    direction: Direction | None
    begin: Callable[[], Fault]
    filter: str = ""
    file: FaultFile | None = None

    def acts(self, direction: Direction) -> bool:
        """Whether it acts on this direction."""
        return self.direction in (None, direction)

    def __str__(self) -> str:
        arrow = self.direction.value if self.direction else ""
        return " ".join(filter(None, (self.words, arrow, self.filter and f"if {self.filter}")))


def kept(before: Sequence[Impairment], wanted: Sequence[Impairment]) -> tuple[Impairment, ...]:
    """The wanted impairments; one with the same words as before is taken from before."""
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

    ``name`` is that of its file; ``usage`` names its numbers; ``example`` is what a form begins with and what tests
    run; ``help`` says in a few words what it does. ``parse`` turns its own words into what makes the fault, and raises
    `ValueError` with a sentence. ``why_not`` says why it would be a lie on the other transports. A fault that
    ``sees_all`` is also shown the segments that were not chosen, because what it does with a chosen one concerns those
    that follow; one ``of_the_end`` of a stream has no segments to choose from. ``order`` is its place in lists, the
    lowest first; one that is not ``offered`` is in no list.
    """

    name: str
    usage: str
    example: str
    help: str
    parse: Callable[[list[str]], Begin]
    transports: frozenset[Transport] = EITHER
    why_not: str = ""
    sees_all: bool = False
    of_the_end: bool = False
    order: int = 1000
    offered: bool = True
