"""What the lab's clients know of a flow beyond its bytes, for its picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netlab.capture.model import Flow
from netlab.dissect.reading.seen_flow import NO_FACTS
from netlab.lab.client.session import Session


def known_of(sessions: Iterable[Session], flow: Flow) -> Mapping[str, object]:
    """The ``facts`` of the client whose flow it is; none of a client from outside."""
    session = next((one for one in sessions if flow.client in one.addresses()), None)
    client = session.client if session is not None and session.local == flow.client else None
    try:
        facts = getattr(client, "facts", None)
        return dict(facts) if isinstance(facts, Mapping) else NO_FACTS
    except Exception:  # noqa: BLE001 - a client of an installed package may raise anything
        return NO_FACTS
