"""What the lab's clients know of a flow beyond its bytes, for its picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netlab.capture.model import Flow, Transport
from netlab.lab.client.session import Session


def known_of(sessions: Iterable[Session], flow: Flow) -> Mapping[str, object]:
    """The facts of the client whose flow it is; none of a client from outside.

    ``connected``: its connection was made; ``recvs``: the lengths that its socket read, call by call, if they are
    known; and what the client itself has as ``facts``.
    """
    session = next((one for one in sessions if flow.client in one.addresses()), None)
    if session is None:
        return {}
    facts: dict[str, object] = {"connected": True} if flow.transport is Transport.TCP else {}
    if (reads := session.reads(flow.client)) is not None:
        facts["recvs"] = reads
    return {**facts, **(_own(session) if session.local == flow.client else {})}


def _own(session: Session) -> Mapping[str, object]:
    try:
        own = getattr(session.client, "facts", None)
    except Exception:  # noqa: BLE001 - a client of an installed package may raise anything
        return {}
    return dict(own) if isinstance(own, Mapping) else {}
