"""What the lab's clients know of a flow beyond its bytes, for its picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netlab.capture.model import Flow, Transport
from netlab.lab.client.session import Session


def known_of(sessions: Iterable[Session], flow: Flow) -> Mapping[str, object]:
    """The facts of the client whose flow it is; none of a client from outside.

    ``connected``: its connection was made; ``recvs``: the lengths that its socket read, call by call, if they are
    known; ``outcome``: None, or the exception of the call that opened it, once that has ended, also of an earlier
    connection; and what the client itself has as ``facts``.
    """
    clients = tuple(sessions)
    outcome = next(filter(None, (one.attribution.facts(flow.client) for one in clients)), {})
    session = next((one for one in clients if flow.client in one.addresses()), None)
    if session is None:
        return outcome
    facts: dict[str, object] = {"connected": True} if flow.transport is Transport.TCP else {}
    facts.update(outcome)
    if (reads := session.reads(flow.client)) is not None:
        facts["recvs"] = reads
    return {**facts, **(_own(session) if session.local == flow.client else {})}


def _own(session: Session) -> Mapping[str, object]:
    try:
        own = getattr(session.client, "facts", None)
    except Exception:  # noqa: BLE001 - a client of an installed package may raise anything
        return {}
    return dict(own) if isinstance(own, Mapping) else {}
