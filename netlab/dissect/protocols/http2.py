"""HTTP/2 without TLS: frames, and the headers in them (RFC 9113, RFC 7541)."""

from __future__ import annotations

from netlab.dissect.flow import Match, Opening, Protocol
from netlab.dissect.http2.http2_flow import PREFACE, Http2Flow

_SETTINGS = 4


def recognise(opening: Opening) -> Match:
    """The client's preface. A server that speaks first sends SETTINGS."""
    asked = bytes(opening.to_server[: len(PREFACE)])
    if asked:
        if asked != PREFACE[: len(asked)]:
            return Match.NO
        return Match.SURE if len(asked) >= len("PRI * HTTP/2") else Match.UNDECIDED
    head = bytes(opening.to_client[:9])
    whole = len(head) == 9 and head[0] == 0 and head[3] == _SETTINGS and head[4:] == b"\0\0\0\0\0"
    return Match.LIKELY if whole and not int.from_bytes(head[:3], "big") % 6 else Match.NO


PROTOCOL = Protocol("http2", "HTTP/2", recognise, Http2Flow, 15)
