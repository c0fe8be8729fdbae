"""A flow of HMAC as a picture: the challenge, the digest, and the digest that netlab computes beside it."""

from __future__ import annotations

from dataclasses import dataclass

from netlab.capture.model import Direction, Kind, Outcome, Segment
from netlab.dissect.picture import Picture, Row, SeenFlow, Tone
from netlab.dissect.proof import Keys, Proof, compared, hex_rows, keys_of, seen_by_others
from netlab.topics.hmac.dissect import LENGTH

_MOST_AFTER = 3
_PREVIEW = 40
_UNKNOWN = "  No secret is known here: see what the server does next."


@dataclass(frozen=True, slots=True)
class _Handshake:
    """The first bytes of each direction, in which segment they were complete, and what followed them."""

    challenge: bytes
    digest: bytes
    asked: int
    answered: int
    after: tuple[Segment, ...]


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The handshake of a flow, and what others could make of it."""
    found = _handshake(seen)
    if not found.challenge and not found.digest:
        return None
    keys = keys_of(seen.facts, "secret")
    rows = hex_rows("← challenge", found.challenge, _missing(found.challenge), found.asked, width)
    if found.digest:
        rows += _answer(found, keys, width)
    if len(found.digest) == len(found.challenge) == LENGTH:
        rows.append(_reaction(found))
        proof = Proof(found.challenge, found.digest, segment=found.answered)
        rows += seen_by_others(proof, keys, _after(found), width)
    return Picture("Challenge and digest", tuple(rows), seen.left_out)


def _missing(data: bytes) -> str:
    missing = LENGTH - len(data)
    return f"{missing} of {LENGTH} bytes are missing" if missing else ""


def _answer(found: _Handshake, keys: Keys, width: int) -> list[Row]:
    """The digest, and below it what it should be."""
    if keys and len(found.challenge) == len(found.digest) == LENGTH:
        return compared("→ digest", Proof(found.challenge, found.digest, segment=found.answered), keys, width)
    rows = hex_rows("→ digest", found.digest, _missing(found.digest), found.answered, width)
    whole = len(found.challenge) == len(found.digest) == LENGTH
    return [*rows, Row(_UNKNOWN, found.answered, tone=Tone.QUIET)] if whole else rows


def _reaction(found: _Handshake) -> Row:
    """What the server did once it had the digest: this protocol has no message for yes or no."""
    for segment in found.after:
        ends = segment.kind in (Kind.FIN, Kind.RESET)
        if segment.direction is Direction.TO_CLIENT and not ends and segment.carries:
            return Row("The server sent an echo: accepted.", segment.number, tone=Tone.GOOD)
        if segment.direction is Direction.TO_CLIENT and ends:
            how = "reset" if segment.kind is Kind.RESET else "closed"
            words = f"The server {how} the connection without a word: refused."
            return Row(words, segment.number, tone=Tone.WRONG)
        if ends:
            return Row("The client left before any echo: nobody sees what became of it.", segment.number)
    return Row("No echo yet, and no message of this protocol says yes.", found.answered, tone=Tone.QUIET)


def _after(found: _Handshake) -> list[str]:
    """What followed the handshake, as somebody in the middle reads it."""
    carrying = [segment for segment in found.after if segment.carries]
    shown = [_text(segment) for segment in carrying[:_MOST_AFTER]]
    return [*shown, "…"] if len(carrying) > len(shown) else shown


def _text(segment: Segment) -> str:
    start = max(0, LENGTH - segment.offset)
    data = segment.data[start:]
    return f"{segment.direction.value} {bytes(data[:_PREVIEW])!r}" + ("…" if len(data) > _PREVIEW else "")


def _handshake(seen: SeenFlow) -> _Handshake:
    """The handshake of a flow, as far as it has crossed."""
    begun = {way: bytearray() for way in Direction}
    last = dict.fromkeys(Direction, 0)
    after: list[Segment] = []
    for segment in seen.segments:
        if segment.outcome is Outcome.DROPPED:
            continue
        mine = begun[segment.direction]
        if segment.carries and len(mine) < LENGTH and segment.offset == len(mine):
            mine += segment.data[: LENGTH - len(mine)]
            last[segment.direction] = segment.number
            if segment.offset + len(segment.data) <= LENGTH:
                continue
        if len(begun[Direction.TO_SERVER]) == LENGTH and segment.kind is not Kind.OPEN:
            after.append(segment)
    challenge, digest = bytes(begun[Direction.TO_CLIENT]), bytes(begun[Direction.TO_SERVER])
    return _Handshake(challenge, digest, last[Direction.TO_CLIENT], last[Direction.TO_SERVER], tuple(after))
