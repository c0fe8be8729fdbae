"""Which protocol a flow speaks, by its first bytes and whatever the port. It reads no more of the flow than those."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from netlab.capture.model import Direction, Flow, Transport
from netlab.dissect.flow import MOST_OPENING, Match, Opening, Protocol
from netlab.dissect.reading.flow_bytes import Streams, bytes_between


class Guess(NamedTuple):
    """What a flow seems to speak (None: nothing that is known), and whether more bytes could change that."""

    protocol: Protocol | None
    final: bool


def opening_of(flow: Flow, streams: Streams) -> Opening:
    """The beginning of a flow, as far as it has been captured."""
    first = {way: _first(streams, way, flow.transport) for way in Direction}
    return Opening(first[Direction.TO_SERVER], first[Direction.TO_CLIENT], flow.transport, flow.server.port)


def _first(streams: Streams, way: Direction, transport: Transport) -> memoryview:
    chunks = streams[way]
    if transport is Transport.UDP:
        return chunks[0].view[:MOST_OPENING] if len(chunks) else memoryview(b"")
    return bytes_between(chunks, 0, MOST_OPENING)


def recognise(opening: Opening, protocols: Iterable[Protocol]) -> Guess:
    """The best match; the first of equal ones. A protocol whose ``recognise`` raises does not match."""
    if not opening.to_server and not opening.to_client:
        return Guess(None, False)
    best, match, undecided = None, Match.UNDECIDED, False
    for protocol in protocols:
        found = _match(opening, protocol)
        undecided = undecided or found is Match.UNDECIDED
        if found > match:
            best, match = protocol, found
    whole = len(opening.to_server) >= MOST_OPENING and len(opening.to_client) >= MOST_OPENING
    return Guess(best, match is Match.SURE or whole or not (undecided or match is Match.LIKELY))


def _match(opening: Opening, protocol: Protocol) -> Match:
    if opening.transport not in protocol.transports:
        return Match.NO
    try:
        return Match(protocol.recognise(opening))
    except Exception:  # noqa: BLE001 - a person's own protocol may raise anything; one that cannot say does not match
        return Match.NO
