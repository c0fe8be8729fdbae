"""Which topic a flow is, judged by its server's port, and the dissector that reads it."""

from __future__ import annotations

from netlab.capture.model import Flow
from netlab.dissect.fields import Dissector
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics


def guess_topic(flow: Flow) -> Topic | None:
    """The topic with the port and transport of the flow's server."""
    known = topics().values()
    return next((t for t in known if (t.port, t.transport) == (flow.server.port, flow.transport)), None)


def dissector_of(topic: Topic | None) -> Dissector | None:
    """The topic's dissector; None if there is no topic or no dissector."""
    try:
        return topic.dissector() if topic is not None else None
    except (ImportError, AttributeError):
        return None
