"""Which flow a packet belongs to, which way it went, and where in its stream it stands (RFC 9293 sequence numbers)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import overload

from netlab.capture.files.checkpoint import FlowState
from netlab.capture.frames.packets import ACK, FIN, RST, SYN, TCP, UDP, Packet
from netlab.capture.model import Direction, Endpoint, Flow, Kind, LetGo, Transport

TO_CLIENT: int = 1
OUTSIDE: int = 2
FLAG_BITS: int = 2
"""A route is the flow's index shifted by these bits, with `TO_CLIENT` when it went to the client, and `OUTSIDE` when
its bytes belong to no stream (a dropped one's, what a reset says beyond a gap, or what lies before the first byte that
is known)."""

_WRAP = 1 << 32
_HALF = 1 << 31
_KINDS = ((RST, Kind.RESET), (SYN, Kind.OPEN), (FIN, Kind.FIN))
_TRANSPORTS = {TCP: Transport.TCP, UDP: Transport.UDP}


class Side:
    """One direction of a flow: its route, the sequence number of its first byte, and the end of its stream so far."""

    __slots__ = ("end", "first", "over", "route")

    def __init__(self, route: int) -> None:
        self.route = route
        self.first: int | None = None
        self.end = 0
        self.over = False  # it has broken off

    def place(self, sequence: int, length: int) -> int:
        """The position of bytes with this sequence number: the one nearest to the end so far, beyond 4 GiB too."""
        if self.first is None:
            self.first = sequence
        ahead = (sequence - self.first - self.end) % _WRAP
        position = self.end + (ahead if ahead < _HALF else ahead - _WRAP)
        if length and position + length > self.end:
            self.end = position + length
        return position


class FlowSequence(Sequence[Flow]):
    """The flows of a capture in order of appearance; a flow's index is its number less one, always.

    The length counts also those that were let go; they cannot be had (`LetGo`), and neither an iteration nor a slice,
    which is a tuple, has them.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def __len__(self) -> int:
        return self._conversations.flow_count

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._conversations.kept_flows())

    def __reversed__(self) -> Iterator[Flow]:
        return reversed(self._conversations.kept_flows())

    @overload
    def __getitem__(self, index: int) -> Flow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Flow]: ...
    def __getitem__(self, index: int | slice) -> Flow | Sequence[Flow]:
        """The flow at ``index``, counted from 0 (its number is one more)."""
        count = len(self)
        if isinstance(index, slice):
            found = []
            for each in range(*index.indices(count)):
                with suppress(LetGo):
                    found.append(self[each])
            return tuple(found)
        if not -count <= index < count:
            raise IndexError(f"the capture has {count} flows")
        try:
            return self._conversations.flow(index % count << FLAG_BITS)
        except KeyError:
            raise LetGo(f"flow {index % count + 1} was let go") from None


class Conversations:
    """The flows of a capture, in order of appearance, and the two sides by which packets are assigned to them."""

    def __init__(self) -> None:
        self.flows: Sequence[Flow] = FlowSequence(self)
        self.flow_count = 0
        self._flows: dict[int, Flow] = {}  # by index; exchanged when some are let go, because other threads look
        self._sides: dict[int, dict[bytes, Side]] = {TCP: {}, UDP: {}}

    @property
    def tcp_sides(self) -> Mapping[bytes, Side]:
        """The senders of TCP by addresses and ports as in a `Packet`; valid until flows are let go."""
        return self._sides[TCP]

    def place(self, packet: Packet, withheld: bool = False) -> tuple[int, int] | None:
        """Route and stream position of a packet, or None when it is no segment (a SYN-ACK, a pure ACK).

        A pure ACK is one when it stands for bytes that a fault withheld. A position below 0 is that of bytes of which
        only the later ones are the stream's: its first known byte is among them (RFC 9293, section 3.10.7.4).
        """
        protocol, key, sequence, flags, _, length = packet
        side = self._sides[protocol].get(key)
        if protocol == UDP:
            return (side or self._guessed(protocol, key)).route, 0
        if flags & SYN:
            sequence += 1
            side = self._opened(side, key, sequence % _WRAP, flags)
        if not length and not flags & (RST | FIN) and flags & (SYN | ACK) != SYN:
            return (side.route | OUTSIDE, side.end) if withheld and side else None
        side = side or self._guessed(protocol, key)
        if flags & RST:
            return self._broken_off(side, sequence, length)
        position = side.place(sequence, length)
        return (side.route, position) if position + length > 0 or not position else (side.route | OUTSIDE, 0)

    def _broken_off(self, side: Side, sequence: int, length: int) -> tuple[int, int]:
        """A reset's place: that of its text (RFC 1122, section 4.2.2.12), unless bytes are missing before."""
        before, side.over = side.end, True
        if length and side.first is not None and 0 <= (position := side.place(sequence, length)) <= before:
            return side.route, position
        side.end = before
        return side.route | OUTSIDE, before

    def _opened(self, side: Side | None, key: bytes, first: int, flags: int) -> Side:
        """The side that sent a SYN: of a new flow, unless it is sent again, or answers one.

        It answers as a SYN-ACK, or without ACK where both ends open (RFC 9293, section 3.5) or the handshake is split.
        """
        if flags & ACK:
            if side is None or (side.first != first and side.end):  # the ports are another connection's now
                side = self._begin(TCP, _swapped(key))[1]
        elif side is None or (side.first != first and not self._answers(side, key)):
            side = self._begin(TCP, key)[0]
        side.first = first
        return side

    def _answers(self, side: Side, key: bytes) -> bool:
        """Whether a SYN of this side is the second of its flow: of the other side nothing but a SYN was seen."""
        other = self._sides[TCP][_swapped(key)]
        return side.first is None and not side.over and other.first is not None and not other.end

    def _guessed(self, protocol: int, key: bytes) -> Side:
        """The sender's side of a flow whose beginning was not seen.

        The server is who has the well-known port; else, by TCP, the lower one, because clients' ports are taken from
        the upper range; else who received first.
        """
        source, destination = (int.from_bytes(key[at : at + 2]) for at in (len(key) - 4, len(key) - 2))
        limit = 1024 if protocol == UDP else _WRAP
        if source < destination and source < limit:
            return self._begin(protocol, _swapped(key))[1]
        return self._begin(protocol, key)[0]

    def _begin(self, protocol: int, key: bytes) -> tuple[Side, Side]:
        """A new flow whose client sent from the first address of ``key``: its two sides, to server and to client."""
        half = (len(key) - 4) // 2
        client, server = (
            Endpoint(str(ip_address(address)), int.from_bytes(port))
            for address, port in ((key[:half], key[-4:-2]), (key[half:-4], key[-2:]))
        )
        index = self.flow_count
        route = index << FLAG_BITS
        sides = Side(route), Side(route | TO_CLIENT)
        self._flows[index] = Flow(index + 1, _TRANSPORTS[protocol], client, server)
        self.flow_count += 1
        self._sides[protocol].update({key: sides[0], _swapped(key): sides[1]})
        return sides

    def flow(self, route: int) -> Flow:
        """The flow of a route; `KeyError` if it was let go."""
        return self._flows[route >> FLAG_BITS]

    def kept_flows(self) -> Sequence[Flow]:
        """All flows but those that were let go."""
        return list(self._flows.values())

    def restore(self, flows: Iterable[FlowState]) -> None:
        """Go on where these flows stand; those that are not known begin."""
        for protocol, key, firsts, ends in flows:
            if protocol not in self._sides:
                continue
            side = self._sides[protocol].get(key)
            if side is None or side.route & TO_CLIENT or (protocol == TCP and side.first != firsts[0]):
                side = self._begin(protocol, key)[0]
            if protocol == TCP:
                for each, first, end in zip((side, self._sides[TCP][_swapped(key)]), firsts, ends, strict=True):
                    each.first, each.end = first, end

    def keep_only(self, routes: Iterable[int], flows: Iterable[FlowState]) -> Container[int]:
        """Let go the flows that have none of these routes and are not among these; the routes of what went."""
        kept = {route >> FLAG_BITS for route in routes}
        for protocol, key, *_ in flows:
            if side := self._sides.get(protocol, {}).get(key):
                kept.add(side.route >> FLAG_BITS)
        gone = frozenset(
            index << FLAG_BITS | way for index in self._flows.keys() - kept for way in range(1 << FLAG_BITS)
        )
        if gone:
            self._flows = {index: flow for index, flow in self._flows.items() if index in kept}
            for protocol, sides in self._sides.items():
                self._sides[protocol] = {key: side for key, side in sides.items() if side.route not in gone}
        return gone


def direction(route: int) -> Direction:
    """The direction of a route."""
    return Direction.TO_CLIENT if route & TO_CLIENT else Direction.TO_SERVER


def kind_of(packet: Packet) -> Kind:
    """What a packet means for its flow."""
    flags = packet[3] if packet[0] == TCP else 0
    return next((kind for flag, kind in _KINDS if flags & flag), Kind.DATA)


def route_of(flow: Flow, way: Direction) -> int:
    """The route of what went this way in a flow."""
    return flow.number - 1 << FLAG_BITS | (TO_CLIENT if way is Direction.TO_CLIENT else 0)


def _swapped(key: bytes) -> bytes:
    half = (len(key) - 4) // 2
    return key[half:-4] + key[:half] + key[-2:] + key[-4:-2]
