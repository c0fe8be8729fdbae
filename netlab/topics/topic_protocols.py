"""Topics as protocols: what is recognised by content is a topic's where the port is its own, too.

A topic whose messages explain themselves is what its port says, unless the content surely is something else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from netlab.dissect.fields import Dissector
from netlab.dissect.flow import FlowDissector, Match, Opening, Protocol, stateless
from netlab.dissect.reading.protocol_discovery import protocol_named, protocols
from netlab.topics.by_port import dissector_of
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics

_BY_PORT = 90


def topic_protocol(topic: Topic) -> Protocol | None:
    """A topic's dissector as a protocol; None if it cannot be loaded."""
    dissector, flow = dissector_of(topic), flow_of(topic)
    if dissector is None:
        return None
    base = _base(flow) if flow is not None else None

    def recognise(opening: Opening) -> Match:
        if (opening.port, opening.transport) != (topic.port, topic.transport):
            return Match.NO
        return base.recognise(opening) if base is not None else Match.LIKELY

    order = base.order - 1 if base is not None else _BY_PORT
    make = flow or stateless(dissector)
    return Protocol(topic.name, topic.title, recognise, make, order, frozenset({topic.transport}))


def flow_of(topic: Topic) -> Callable[[], FlowDissector] | None:
    """The topic's ``Flow``; None if it has none, or if it cannot be loaded."""
    try:
        return topic.flow_dissector()
    except (ImportError, AttributeError):
        return None


def general_protocol(topic: Topic) -> Protocol | None:
    """The protocol that a topic's flows speak, if the topic reads them with a kind of its dissector."""
    flow = flow_of(topic)
    return _base(flow) if flow is not None else None


def _base(flow: Callable[[], FlowDissector]) -> Protocol | None:
    """The protocol that a topic's ``Flow`` is a kind of."""
    mine = flow()
    return next((each for each in protocols() if isinstance(mine, type(each.make()))), None)


@cache
def known_protocols() -> tuple[Protocol, ...]:
    """All protocols and topics, as they are tried."""
    made = [protocol for topic in topics().values() if (protocol := topic_protocol(topic)) is not None]
    return tuple(sorted((*protocols(), *made), key=lambda each: (each.order, each.name)))


@cache
def read_whole(name: str) -> Dissector | None:
    """The dissector of a topic whose messages explain themselves: it sees the stream up to each segment."""
    topic = topics().get(name)
    return dissector_of(topic) if topic is not None and flow_of(topic) is None else None


def named(name: str) -> Protocol | None:
    """A protocol, or a topic as one."""
    return protocol_named(name) or next((each for each in known_protocols() if each.name == name), None)
