"""The handshake of `multiprocessing.connection` as rows: each digest beside the one that the authkey gives.

Each side challenges the other. The digest is an HMAC of all that follows ``#CHALLENGE#``, the name of the hash function
included (Lib/multiprocessing/connection.py, "Authentication Handshake Protocol Description").
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.capture.model import Direction
from netlab.dissect.fields import Field
from netlab.dissect.picture import Message, Row, Tone
from netlab.dissect.proof import LABEL, Keys, Proof, compared, hex_rows, seen_by_others

OLD_HASH = "md5"
"""What a digest without a name is made with."""
_UNKNOWN = "  No authkey is known here, so no digest can be computed."
_MOST_AFTER = 3


class HandshakeRows:
    """The challenges, digests and verdicts among some messages."""

    def __init__(self, messages: Sequence[Message], keys: Keys, width: int) -> None:
        self._messages, self._keys, self._width = messages, keys, width
        self._proofs: dict[int, Proof] = {}
        asked: dict[Direction, bytes] = {}
        for at, message in enumerate(messages):
            if message.field.name == "challenge":
                asked[message.direction] = _challenge(message)
            elif message.field.name == "digest" and (challenge := asked.pop(message.direction.other, None)):
                self._proofs[at] = Proof(challenge, _part(message, "digest"), _hash_of(message), message.first)

    def rows(self, at: int) -> list[Row]:
        """The rows of a message; none if it is not of the handshake."""
        message = self._messages[at]
        begin = f"{message.direction.value} {message.field.name}"
        if message.field.name == "challenge":
            random = _part(message, "challenge")
            return hex_rows(begin, random, _hash_of(message), message.first, self._width)
        if message.field.name == "digest":
            return self._digest(at, begin)
        if message.field.name in ("welcome", "failure"):
            good = message.field.name == "welcome"
            words = "the digest was right" if good else "the digest was wrong"
            return [Row(f"{begin:<{LABEL}}{words}", message.first, tone=Tone.GOOD if good else Tone.WRONG)]
        return []

    def others(self) -> list[Row]:
        """What somebody else sees of the first challenge and its digest."""
        if not self._proofs:
            return []
        after = [
            f"{message.direction.value} {message.field.name} {message.field.value}"
            for message in self._messages[max(self._proofs) + 1 :]
            if message.field.name not in ("welcome", "failure")
        ]
        more = ["…"] if len(after) > _MOST_AFTER else []
        return seen_by_others(self._proofs[min(self._proofs)], self._keys, after[:_MOST_AFTER] + more, self._width)

    def _digest(self, at: int, begin: str) -> list[Row]:
        """A digest, and below it what it should be."""
        message, proof = self._messages[at], self._proofs.get(at)
        if proof is not None and self._keys:
            return compared(begin, proof, self._keys, self._width)
        rows = hex_rows(begin, _part(message, "digest"), _hash_of(message), message.first, self._width)
        first = proof is not None and at == min(self._proofs)
        return [*rows, Row(_UNKNOWN, message.first, tone=Tone.QUIET)] if first else rows


def _challenge(message: Message) -> bytes:
    """What a digest is made of: all behind the token."""
    token = _named(message, "token")
    return bytes(message.data[token.end : message.field.end]) if token is not None else b""


def _part(message: Message, name: str) -> bytes:
    part = _named(message, name)
    return bytes(message.data[part.start : part.end]) if part is not None else b""


def _hash_of(message: Message) -> str:
    """The hash function that a challenge or a digest names."""
    part = _named(message, "digest name")
    return part.value if part is not None else OLD_HASH


def _named(message: Message, name: str) -> Field | None:
    return next((part for part in message.field.children if part.name == name), None)
