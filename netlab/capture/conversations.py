"""Which flow a packet belongs to, which way it went, and where in its stream it stands (RFC 9293 sequence numbers)."""

from __future__ import annotations

from ipaddress import ip_address

from netlab.capture.model import Direction, Endpoint, Flow, Transport
from netlab.capture.packets import ACK, FIN, RST, SYN, TCP, UDP, Packet

TO_CLIENT: int = 1
OUTSIDE: int = 2
FLAG_BITS: int = 2
"""A route is the flow's index shifted by these bits, with `TO_CLIENT` when it went to the client, and `OUTSIDE` when
its bytes belong to no stream (a reset's, a dropped one's, or what lies before the first byte that is known)."""

_WRAP = 1 << 32
_HALF = 1 << 31
_TRANSPORTS = {TCP: Transport.TCP, UDP: Transport.UDP}


class _Side:
    """One direction of a flow: its route, the sequence number of its first byte, and the end of its stream so far."""

    __slots__ = ("end", "first", "route")

    def __init__(self, route: int) -> None:
        self.route = route
        self.first: int | None = None
        self.end = 0

    def place(self, sequence: int, length: int) -> int:
        """The position of bytes with this sequence number: the one nearest to the end so far, beyond 4 GiB too."""
        if self.first is None:
            self.first = sequence
        ahead = (sequence - self.first - self.end) % _WRAP
        position = self.end + (ahead if ahead < _HALF else ahead - _WRAP)
        if length and position + length > self.end:
            self.end = position + length
        return position


class Conversations:
    """The flows of a capture, in order of appearance, and the sides that packets are told apart by."""

    def __init__(self) -> None:
        self.flows: list[Flow] = []
        self._sides: dict[int, dict[bytes, _Side]] = {TCP: {}, UDP: {}}

    def place(self, packet: Packet, withheld: bool = False) -> tuple[int, int] | None:
        """Route and stream position of a packet, or None when it is no segment (a SYN-ACK, a pure ACK).

        A pure ACK is one when it stands for bytes that a fault withheld.
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
            return side.route | OUTSIDE, side.end
        position = side.place(sequence, length)
        return (side.route, position) if position >= 0 else (side.route | OUTSIDE, 0)

    def _opened(self, side: _Side | None, key: bytes, first: int, flags: int) -> _Side:
        """The side that sent a SYN: of a new flow, unless the SYN is a SYN-ACK or one sent again."""
        if flags & ACK:
            side = side or self._begin(TCP, _swapped(key))[1]
        elif side is None or side.first != first or side.route & TO_CLIENT:
            side = self._begin(TCP, key)[0]
        side.first = first
        return side

    def _guessed(self, protocol: int, key: bytes) -> _Side:
        """The sender's side of a flow whose beginning was not seen.

        The server is who has the well-known port; else, by TCP, the lower one, because clients' ports are taken from
        the upper range; else who received first.
        """
        source, destination = (int.from_bytes(key[at : at + 2]) for at in (len(key) - 4, len(key) - 2))
        limit = 1024 if protocol == UDP else _WRAP
        if source < destination and source < limit:
            return self._begin(protocol, _swapped(key))[1]
        return self._begin(protocol, key)[0]

    def _begin(self, protocol: int, key: bytes) -> tuple[_Side, _Side]:
        """A new flow whose client sent from the first address of ``key``: its two sides, to server and to client."""
        half = (len(key) - 4) // 2
        client, server = (
            Endpoint(str(ip_address(address)), int.from_bytes(port))
            for address, port in ((key[:half], key[-4:-2]), (key[half:-4], key[-2:]))
        )
        route = len(self.flows) << FLAG_BITS
        sides = _Side(route), _Side(route | TO_CLIENT)
        self.flows.append(Flow(len(self.flows) + 1, _TRANSPORTS[protocol], client, server))
        self._sides[protocol].update({key: sides[0], _swapped(key): sides[1]})
        return sides

    def flow(self, route: int) -> Flow:
        """The flow of a route."""
        return self.flows[route >> FLAG_BITS]


def direction(route: int) -> Direction:
    """The direction of a route."""
    return Direction.TO_CLIENT if route & TO_CLIENT else Direction.TO_SERVER


def route_of(flow: Flow, way: Direction) -> int:
    """The route of what went this way in a flow."""
    return flow.number - 1 << FLAG_BITS | (TO_CLIENT if way is Direction.TO_CLIENT else 0)


def _swapped(key: bytes) -> bytes:
    half = (len(key) - 4) // 2
    return key[half:-4] + key[:half] + key[-2:] + key[-4:-2]
