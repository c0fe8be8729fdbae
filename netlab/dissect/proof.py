"""A challenge, its answer, and what the answer should be: an HMAC of the challenge under a secret.

The secret is only computed with. It is in no row.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from netlab.dissect.picture import Row, Tone

Keys = Mapping[str, bytes]
"""Secrets, by whose they are in words, as in ``the server's secret``."""

LABEL = 13
"""Columns in front of a digest."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A challenge, and the digest with which somebody answered it.

    ``hash`` names the hash function, as `hmac` does; ``segment`` is the answer's.
    """

    challenge: bytes
    answer: bytes
    hash: str = "sha256"
    segment: int = 0

    @property
    def name(self) -> str:
        """What the digest is called."""
        return f"HMAC-{self.hash.replace('_', '-').upper()}"

    def computed(self, key: bytes) -> bytes | None:
        """The right answer under a key; None if this Python cannot compute it."""
        try:
            return hmac.digest(key, self.challenge, self.hash)
        except ValueError:  # as of MD5, where only approved functions are allowed
            return None


def keys_of(facts: Mapping[str, object], option: str) -> Keys:
    """The keys among what a lab knows of a flow: of the topic's option of that name."""
    found: dict[str, bytes] = {}
    for side in ("client", "server"):
        known = facts.get(side)
        value = known.get(option) if isinstance(known, Mapping) else None
        if isinstance(value, bytes):
            found[f"the {side}'s {option}"] = value
    if len(found) == 2 and len(set(found.values())) == 1:
        return {f"the {option} of both sides": next(iter(found.values()))}
    return found


def difference(came: bytes, computed: bytes) -> int | None:
    """The first byte at which two digests differ; None if they are equal."""
    if came == computed:
        return None
    pairs = zip(came, computed, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(came), len(computed)))


def compared(proof: Proof, keys: Keys) -> list[Row]:
    """What the answer should be under each key, to stand below the answer, and where they differ."""
    rows: list[Row] = []
    for whose, key in keys.items():
        computed = proof.computed(key)
        what = f"{proof.name}({whose}, challenge)"
        if computed is None:
            rows.append(Row(f"{what}: this Python cannot compute it", proof.segment))
            continue
        rows.append(Row(f"{'  computed':<{LABEL}}{computed.hex()}", proof.segment))
        at = difference(proof.answer, computed)
        if at is None:
            rows.append(Row(f"  {what} is equal", proof.segment, tone=Tone.GOOD))
        else:
            rows += _differs(proof, computed, at, what)
    return rows


def _differs(proof: Proof, computed: bytes, at: int, what: str) -> list[Row]:
    """Where a digest that came differs from the one that was computed."""
    came, wanted = proof.answer[at : at + 1].hex() or "nothing", computed[at : at + 1].hex() or "nothing"
    mark = f"{'':<{LABEL + 2 * at}}^^"
    text = f"  {what} differs at byte {at}: {came}, not {wanted}"
    return [Row(mark, proof.segment, tone=Tone.WRONG), Row(text, proof.segment, tone=Tone.WRONG)]


def seen_by_others(proof: Proof, keys: Keys, after: list[str]) -> list[Row]:
    """What somebody can do who listens and, unless the answer is known to be wrong, who sends it again or passes it on.

    ``after`` is what followed.
    """
    rows = [Row("Somebody who listens sees the challenge and the digest, and no secret.", proof.segment, _listener())]
    if all(proof.computed(key) in (None, proof.answer) for key in keys.values()):
        rows.append(Row("Somebody who sends this digest again is refused.", proof.segment, _replay(proof, keys)))
        rows.append(Row("Somebody in the middle, who passes both on, is let in.", proof.segment, _relay(after)))
    return rows


def _listener() -> tuple[Row, ...]:
    return (
        Row("They can try secrets: compute the HMAC of the challenge under each, and compare."),
        Row("Nobody notices that, so a secret must be too long to be guessed."),
    )


def _replay(proof: Proof, keys: Keys) -> tuple[Row, ...]:
    """Why an answer that was recorded is worth nothing: with a key, the answer to nearly the same challenge."""
    rows = [Row("Their connection gets another challenge, and this digest does not answer that one.")]
    key = next(iter(keys.values()), None)
    if key is None or not proof.challenge:
        return tuple(rows)
    nearly = Proof(bytes((*proof.challenge[:-1], proof.challenge[-1] ^ 1)), b"", proof.hash)
    right, other = proof.computed(key), nearly.computed(key)
    if right is None or other is None:
        return tuple(rows)
    same = sum(a == b for a, b in zip(right, other, strict=True))
    rows.append(Row("If the last bit of the challenge were different, the right digest would be:"))
    rows.append(Row(f"{'':<{LABEL}}{other.hex()}"))
    rows.append(Row(f"Bytes that are the same as for this challenge: {same} of {len(other)}."))
    return tuple(rows)


def _relay(after: list[str]) -> tuple[Row, ...]:
    """What somebody in the middle gets."""
    followed = after or ["nothing yet"]
    return (
        Row("The digest proves that somebody knows the secret, but not who that is."),
        Row("They then read all that follows, and can change it: none of it is signed."),
        Row("Here that was:"),
        *(Row(f"  {text}") for text in followed),
    )
