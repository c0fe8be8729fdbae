"""What a relay holds at the moment, for tests and tools: figures only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netlab.capture.model import Direction


@dataclass(frozen=True, slots=True)
class WayStats:
    """One direction of a flow: payload bytes that came, and memory and pieces that its faults hold.

    ``waiting`` are the bytes that came and that the wire has yet to send, ``before`` those that crossed before the
    capture began.
    """

    received: int = 0
    held: int = 0
    pieces: int = 0
    waiting: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True)
class FlowStats:
    """One flow, by its number. ``ways`` is empty until its server is there."""

    number: int
    ways: Mapping[Direction, WayStats]

    @property
    def held(self) -> int:
        """Bytes that its faults hold, both ways."""
        return sum(way.held for way in self.ways.values())


@dataclass(frozen=True, slots=True)
class RelayStats:
    """The open flows, and the bytes in memory that have not left yet."""

    flows: tuple[FlowStats, ...]
    held: int
