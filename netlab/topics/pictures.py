"""Which pictures there are of a flow: its topic's own, its protocol's, and its transport's; the most special first."""

from __future__ import annotations

from netlab.capture.model import Transport
from netlab.dissect.flow import Protocol
from netlab.dissect.picture import Draw
from netlab.dissect.pictures import tcp_states, udp_exchanges
from netlab.dissect.reading.protocol_discovery import protocol_named
from netlab.topics.discovery import topics
from netlab.topics.topic_protocols import general_protocol

_BY_TRANSPORT: dict[Transport, Draw] = {Transport.TCP: tcp_states.draw, Transport.UDP: udp_exchanges.draw}


def draws_of(protocol: Protocol, transport: Transport) -> tuple[Draw, ...]:
    """What draws a flow that is read as ``protocol``. Slow at first: it imports the topic's picture."""
    topic = topics().get(protocol.name)
    own = topic.picture() if topic is not None else None
    kinds = (protocol, protocol_named(protocol.name), general_protocol(topic) if topic is not None else None)
    general = next((kind.draw for kind in kinds if kind is not None and kind.draw is not None), None)
    found = (own, general, _BY_TRANSPORT.get(transport))
    return tuple(dict.fromkeys(draw for draw in found if draw is not None))
