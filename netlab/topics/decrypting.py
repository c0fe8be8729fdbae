"""Which topic decrypts a flow: its own if its bytes are encrypted, else TLS, which any flow may turn out to be."""

from __future__ import annotations

from netlab.topics.contract import Topic
from netlab.topics.discovery import topic_named


def decrypted_by(topic: Topic | None) -> Topic:
    """The topic whose `opener` and `conversation` decrypt this topic's flows."""
    return topic if topic is not None and topic.encrypted else topic_named("tls")
