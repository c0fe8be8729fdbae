"""Which segments of a capture the server has not read, by what the kernel said last. It knows no widget."""

from __future__ import annotations

from collections.abc import Mapping

from netlab.capture.model import Direction, Endpoint, Kind, Outcome, Segment
from netlab.capture.view import CapturedSegments
from netlab.lab.server_sockets import FlowSockets

_CROSSED = frozenset({Kind.DATA, Kind.FIN})


class UnreadSegments:
    """The watched flows at the last look, and which of a capture's flows they are."""

    def __init__(self) -> None:
        self.flows: Mapping[Endpoint, FlowSockets] = {}
        """By client, as `netlab.lab.server_sockets.ServerSockets` has them."""
        self._capture: CapturedSegments | None = None
        self._newest: dict[Endpoint, int] = {}  # the number of a client's newest flow: an address may come again
        self._known = 0

    def take(self, flows: Mapping[Endpoint, FlowSockets]) -> bool:
        """The kernel was asked again; whether a segment may have changed for that."""
        before, self.flows = self.flows, flows
        return flows != before and any(flow.unread or flow.left for known in (before, flows) for flow in known.values())

    def of(self, segment: Segment, capture: CapturedSegments) -> bool:
        """Whether the segment was on its way at the last look and the server had not read all of it.

        The end of a stream counts as one byte. Of what came since then nothing is known.
        """
        flow = self.flows.get(segment.flow.client)
        if flow is None or segment.direction is not Direction.TO_SERVER or segment.kind not in _CROSSED:
            return False
        if segment.outcome is Outcome.DROPPED or self._newest_of(segment.flow.client, capture) != segment.flow.number:
            return False
        end = segment.offset + segment.length + (segment.kind is Kind.FIN)
        return flow.position < end <= flow.position + flow.unread + flow.left

    def _newest_of(self, client: Endpoint, capture: CapturedSegments) -> int:
        if capture is not self._capture:
            self._capture, self._newest, self._known = capture, {}, 0
        flows = capture.flows
        while self._known < len(flows):
            self._newest[flows[self._known].client] = flows[self._known].number
            self._known += 1
        return self._newest.get(client, 0)
