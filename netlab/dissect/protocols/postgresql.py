"""PostgreSQL: start, authentication, queries, rows and errors (protocol version 3)."""

from __future__ import annotations

from netlab.dissect.flow import Match, Opening, Protocol
from netlab.dissect.postgresql.postgresql_flow import LONGEST_START, PostgresqlFlow
from netlab.dissect.postgresql.postgresql_names import REQUESTS

_CODES = [code.to_bytes(4, "big") for code in (*REQUESTS, 3 << 16, 3 << 16 | 2)]
_ANSWERS = b"SNGERv"


def recognise(opening: Opening) -> Match:
    """A startup message or a request for encryption from the client."""
    head, answered = bytes(opening.to_server[:8]), bytes(opening.to_client[:1])
    fits = head[:2] == b"\0\0"[: len(head)] and any(code.startswith(head[4:]) for code in _CODES)
    if not head or not fits or (answered and answered not in _ANSWERS):
        return Match.NO
    if len(head) < 8:
        return Match.UNDECIDED
    return Match.SURE if 8 <= int.from_bytes(head[:4], "big") <= LONGEST_START else Match.NO


PROTOCOL = Protocol("postgresql", "PostgreSQL", recognise, PostgresqlFlow, 35)
