"""TLS: records, and what of the handshake is in clear (RFC 8446, RFC 5246)."""

from __future__ import annotations

from netlab.dissect.flow import Match, Opening, Protocol
from netlab.dissect.picture import Picture, SeenFlow
from netlab.dissect.tls.tls_records import TlsFlow

_HANDSHAKE, _ALERT = 22, 21
_CLIENT_HELLO = 1


def recognise(opening: Opening) -> Match:
    """A record with a ClientHello from the client; or a handshake or alert of the server alone."""
    asked = bytes(opening.to_server[:6])
    if asked:
        return _match(asked, (_HANDSHAKE,), _CLIENT_HELLO)
    answered = bytes(opening.to_client[:6])
    found = _match(answered, (_HANDSHAKE, _ALERT), 2) if answered else Match.NO
    return min(found, Match.LIKELY)


def _match(begin: bytes, kinds: tuple[int, ...], message: int) -> Match:
    """How well some bytes fit a record of these types, version 3.x, no longer than allowed."""
    fits = begin[0] in kinds and begin[1:2] in (b"", b"\x03") and begin[2:3] <= b"\x04" and begin[3:4] <= b"\x48"
    if not fits or (begin[0] == _HANDSHAKE and len(begin) > 5 and begin[5] != message):
        return Match.NO
    return Match.SURE if len(begin) == 6 else Match.UNDECIDED


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The connection as a ladder."""
    from netlab.dissect.tls import ladder  # here, since most flows are never drawn

    return ladder.draw(seen, width)


PROTOCOL = Protocol("tls", "TLS", recognise, TlsFlow, 20, draw=draw)
