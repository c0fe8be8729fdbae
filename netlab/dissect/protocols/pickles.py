"""What Python's multiprocessing.connection sends: messages with their length in front, a handshake, then pickles."""

from __future__ import annotations

from netlab.dissect.flow import Match, Opening, Protocol
from netlab.dissect.pickles.pickle_messages import CHALLENGE, PicklesFlow
from netlab.dissect.picture import Picture, SeenFlow


def recognise(opening: Opening) -> Match:
    """The server's challenge, or messages that begin as pickles do and are not much longer than what has come."""
    answered = bytes(opening.to_client[:15])
    begun = answered[4:]
    if answered and answered[:3] == b"\0\0\0"[: len(answered)] and CHALLENGE.startswith(begun):
        return Match.SURE if begun == CHALLENGE else Match.UNDECIDED
    asked = bytes(opening.to_server[:6])
    if asked[:1] in (b"", b"\0") and asked[4:5] in (b"", b"\x80") and asked[5:6] <= b"\x05":
        return (Match.LIKELY if len(asked) == 6 else Match.UNDECIDED) if asked else Match.NO
    return Match.NO


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The handshake, and the steps of each pickle."""
    from netlab.dissect.pickles import pickle_picture  # here, since most flows are never drawn

    return pickle_picture.draw(seen, width)


PROTOCOL = Protocol("pickles", "multiprocessing", recognise, PicklesFlow, 60, draw=draw)
