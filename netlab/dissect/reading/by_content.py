"""A flow whose protocol shows in its first bytes: what follows an upgrade, or lies in a tunnel."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection
from netlab.dissect.flow import MOST_OPENING, FlowDissector, Opening, Run
from netlab.dissect.reading.protocol_discovery import protocol_named, protocols
from netlab.dissect.reading.recognition import recognise


class ByContent:
    """Reads a flow as the protocol that its beginning shows; as text or bytes until then, and if it shows none."""

    def __init__(self) -> None:
        self._opening = dict.fromkeys(Direction, b"")
        self._chosen: FlowDissector | None = None
        self._plain = _plain()
        self.name = ""
        """The protocol's name, once it is known."""

    def feed(self, run: Run) -> Dissection:
        """The fields by the protocol as far as it is known."""
        if self._chosen is None and not self._choose(run):
            found = self._plain.feed(run)
            decided = len(run.data) >= MOST_OPENING
            return Dissection(found.fields, found.summary, 0, found.problem, taken=len(run.data) if decided else 0)
        assert self._chosen is not None
        return self._chosen.feed(run)

    def _choose(self, run: Run) -> bool:
        """Whether the protocol is known with these bytes."""
        self._opening[run.direction] = self._opening[run.direction] or bytes(run.data[:MOST_OPENING])
        if len(self._opening[run.direction]) < len(run.data):
            self._opening[run.direction] = bytes(run.data[:MOST_OPENING])
        openings = [memoryview(self._opening[way]) for way in (Direction.TO_SERVER, Direction.TO_CLIENT)]
        guess = recognise(Opening(openings[0], openings[1], run.transport), protocols())
        if guess.protocol is not None:
            self._chosen, self.name = guess.protocol.make(), guess.protocol.name
        elif guess.final:
            self._chosen, self.name = self._plain, "text"
        return self._chosen is not None


def _plain() -> FlowDissector:
    protocol = protocol_named("text")
    assert protocol is not None  # it is one of ours
    return protocol.make()
