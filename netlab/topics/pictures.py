"""Which pictures there are of a flow: its topic's own, its protocol's, and its transport's; the most special first."""

from __future__ import annotations

from functools import partial

from netlab.capture.model import Transport
from netlab.dissect.flow import Protocol
from netlab.dissect.picture import Draw, Picture, SeenFlow
from netlab.dissect.pictures import tcp_states, udp_exchanges
from netlab.dissect.reading.protocol_discovery import protocol_named
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from netlab.topics.topic_protocols import general_protocol

_BY_TRANSPORT: dict[Transport, Draw] = {Transport.TCP: tcp_states.draw, Transport.UDP: udp_exchanges.draw}


def draws_of(protocol: Protocol, transport: Transport) -> tuple[Draw, ...]:
    """What draws a flow that is read as ``protocol``. Slow at first: it imports the topic's picture."""
    topic = topics().get(protocol.name)
    own = _own(topic) if topic is not None else None
    kinds = (protocol, protocol_named(protocol.name), general_protocol(topic) if topic is not None else None)
    general = next((kind.draw for kind in kinds if kind is not None and kind.draw is not None), None)
    found = (own, general, _BY_TRANSPORT.get(transport))
    return tuple(dict.fromkeys(draw for draw in found if draw is not None))


def _own(topic: Topic) -> Draw | None:
    """The topic's ``draw``; if it cannot be loaded, one that raises why, so that the others are drawn."""
    try:
        return topic.picture()
    except Exception as error:  # noqa: BLE001 - a topic's module may raise anything
        return partial(_raise, error)


def _raise(error: Exception, seen: SeenFlow, width: int) -> Picture | None:
    raise error
