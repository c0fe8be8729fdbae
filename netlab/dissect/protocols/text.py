"""Text in lines, and bytes: what is left if no protocol is recognised."""

from __future__ import annotations

from netlab.capture.model import Transport
from netlab.dissect.flow import Match, Opening, Protocol, stateless
from netlab.dissect.lines import dissect


def recognise(opening: Opening) -> Match:
    """Never: it is what is left."""
    return Match.NO


PROTOCOL = Protocol("text", "text or bytes", recognise, stateless(dissect), 1000, frozenset(Transport))
