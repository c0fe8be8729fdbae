"""Draws the pictures of a flow in a thread, and again as it grows. It knows no widget.

One flow is read at a time, from where it was left; how the flow is asked for, and who runs the thread, is the pane's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from netlab.capture.model import Flow
from netlab.capture.view import CapturedSegments
from netlab.dissect.flow import Protocol
from netlab.dissect.picture import Draw, Picture, SeenFlow
from netlab.dissect.reading.inner_flow import InnerFlow
from netlab.dissect.reading.meanings import How, Meanings, plain
from netlab.dissect.reading.protocol_discovery import protocols
from netlab.dissect.reading.recognition import opening_of, recognise
from netlab.dissect.reading.seen_flow import SeenSoFar
from netlab.topics.pictures import draws_of

_SPELL, _BREATH = 0.005, 0.001
"""After so many seconds of reading, so many for keys."""
_SLICE = 0.25
_FACTS_EVERY = 0.5
"""Seconds between two looks whether a fact has changed while no segment came."""


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """What is known of a flow beyond its bytes: at once, and what takes long.

    ``begin`` is called where the capture grows, and what it returns in the thread that draws.
    """

    known: Mapping[str, object] = field(default_factory=dict)
    begin: Callable[[], Callable[[], Mapping[str, object]]] = lambda: dict


FactsOf = Callable[[Flow], FlowFacts]
"""Called where the capture grows. A picture is drawn again if what is ``known`` has changed."""


def no_facts(flow: Flow) -> FlowFacts:
    """Nothing is known of any flow."""
    return FlowFacts()


@dataclass(slots=True)
class Drawing:
    """One job: read the flow on, and draw it for so many columns. It ends early when it is ``cancelled``."""

    so_far: SeenSoFar
    protocol: Protocol
    width: int
    facts: FlowFacts
    further: Callable[[], Mapping[str, object]] = dict
    cancelled: bool = False
    more: bool = False
    """Whether there is more to read: then nothing is drawn yet."""
    pictures: tuple[Picture, ...] = ()
    seconds: float = 0.0
    _rested: float = 0.0

    def run(self) -> Drawing:
        """Do it, in any thread."""
        began = self._rested = time.monotonic()
        self.more = self.so_far.read_on(lambda: self._going(began))
        if not self.more and not self.cancelled:
            self.pictures = self._drawn()
        self.seconds = time.monotonic() - began
        return self

    def _going(self, began: float) -> bool:
        now = time.monotonic()
        if now - self._rested > _SPELL:
            time.sleep(_BREATH)
            self._rested = time.monotonic()
        return not self.cancelled and now - began < _SLICE

    def _drawn(self) -> tuple[Picture, ...]:
        try:
            facts = {**self.facts.known, **self.further()}
            found = self._pictures(self.so_far, self.protocol, facts)
            records = facts.get("records")
            if isinstance(records, Mapping):
                found[-1:-1] = self._decrypted(self.so_far.within(records))
        except Exception as error:  # noqa: BLE001 - a topic's module, or what opens records, may raise anything
            return (_failed(error),)
        return tuple(found)

    def _pictures(self, so_far: SeenSoFar, protocol: Protocol, facts: Mapping[str, object]) -> list[Picture]:
        seen = so_far.seen(facts)
        drawn = [_picture(draw, seen, self.width) for draw in draws_of(protocol, seen.flow.transport)]
        return [picture for picture in drawn if picture is not None]

    def _decrypted(self, inner: InnerFlow) -> list[Picture]:
        """The pictures of what the records carry, without its transport's, which is the outer flow's."""
        (flow,) = inner.flows
        protocol = recognise(opening_of(flow, inner.streams), protocols()).protocol
        if protocol is None:
            return []
        so_far = SeenSoFar(inner, flow, protocol.make)
        so_far.follow()
        so_far.read_on(lambda: not self.cancelled)
        found = self._pictures(so_far, protocol, {})[:-1]
        return [replace(picture, title=f"{picture.title}, decrypted") for picture in found]


def _picture(draw: Draw, seen: SeenFlow, width: int) -> Picture | None:
    try:
        picture = draw(seen, width)
    except Exception as error:  # noqa: BLE001 - a person's own draw may raise anything
        return _failed(error)
    if picture is None or not seen.left_out or seen.left_out in picture.note:
        return picture
    return replace(picture, note=" ".join(filter(None, (picture.note, seen.left_out))))


def _failed(error: Exception) -> Picture:
    return Picture("picture", (), f"It could not be drawn: {type(error).__name__}: {error}")


class DrawnFlow:
    """The flow whose picture is wanted, and what was last drawn of it."""

    def __init__(self, facts_of: FactsOf = no_facts) -> None:
        self._facts_of = facts_of
        self.flow: Flow | None = None
        self.pictures: tuple[Picture, ...] = ()
        self.progress = 1.0
        """How much of the flow has been read."""
        self._capture: CapturedSegments | None = None
        self._how: How = None
        self._so_far: SeenSoFar | None = None
        self._protocol: Protocol | None = None
        self._job: Drawing | None = None
        self._drawn: tuple[int, Mapping[str, object]] | None = None
        self._rest_until = self._facts_due = 0.0

    def want(self, flow: Flow | None, capture: CapturedSegments | None, how: How) -> bool:
        """Draw this flow of a capture, read as ``how`` says; whether it is another one."""
        self._how = how
        if flow == self.flow and capture is self._capture:
            return False
        self.flow, self._capture = flow, capture
        self._forget()
        return True

    def _forget(self) -> None:
        self.cancel()
        self._so_far, self._protocol, self._drawn, self._rest_until = None, None, None, 0.0
        self.pictures, self.progress = (), 0.0

    def cancel(self) -> None:
        """Stop what is being read."""
        if self._job is not None:
            self._job.cancelled = True
            self._job = None

    def next_job(self, width: int) -> Drawing | None:
        """What to do now in a thread, if anything. Call it where the capture grows, a few times a second."""
        if self._job is not None or self.flow is None or self._capture is None:
            return None
        if time.monotonic() < self._rest_until:
            return None
        protocol = self._how.of(self.flow).protocol if isinstance(self._how, Meanings) else plain()
        if self._so_far is None or protocol is not self._protocol:
            self._so_far, self._protocol = SeenSoFar(self._capture, self.flow, protocol.make), protocol
            self._drawn = None
        came, now = self._so_far.follow(), time.monotonic()
        same = self._drawn is not None and not came and self._drawn[0] == width
        if same and now < self._facts_due:
            return None
        self._facts_due = now + _FACTS_EVERY
        facts = self._facts_of(self.flow)
        if same and self._drawn is not None and self._drawn[1] == facts.known:
            return None
        self._job = Drawing(self._so_far, protocol, width, facts, facts.begin())
        return self._job

    def done(self, job: Drawing) -> bool:
        """Take what a job has drawn; whether there is something new to show."""
        if job is not self._job:
            return False
        self._job = None
        read, whole = job.so_far.progress
        self.progress = read / whole if job.more and whole else 1.0
        if job.more:
            return True
        self._drawn = job.width, job.facts.known
        self._rest_until = time.monotonic() + max(0.1, 4 * job.seconds)
        changed = job.pictures != self.pictures
        self.pictures = job.pictures
        return changed
