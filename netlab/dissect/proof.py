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
"""Columns in front of bytes."""
INDENT = 2
"""Columns by which details are indented."""
_STEPS = (64, 32, 16, 8)
"""So many bytes of a digest stand in a row, as many as fit."""


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


def hex_rows(begin: str, data: bytes, behind: str, segment: int, width: int) -> list[Row]:
    """Some bytes in hex behind what they are, in as many rows as they need; ``behind`` stands behind the last."""
    step = _step(data, width)
    parts = [data[at : at + step].hex() for at in range(0, len(data), step)] or [""]
    texts = [f"{begin if not at else '':<{LABEL}}{part}" for at, part in enumerate(parts)]
    return [Row(text, segment) for text in (*texts[:-1], f"{texts[-1]}  {behind}".rstrip())]


def _step(data: bytes, width: int) -> int:
    return next((each for each in _STEPS if LABEL + 2 * min(each, len(data)) <= width), _STEPS[-1])


def compared(begin: str, proof: Proof, keys: Keys, width: int) -> list[Row]:
    """The answer behind what it is, below it what it should be under each key, and where they differ."""
    known = {whose: proof.computed(key) for whose, key in keys.items()}
    rows: list[Row] = []
    step = _step(proof.answer, width)
    for at in range(0, len(proof.answer), step):
        part = proof.answer[at : at + step].hex()
        rows.append(Row(f"{begin if not at else '':<{LABEL}}{part}", proof.segment))
        for whose, computed in known.items():
            if computed is not None:
                label = f"  {whose.split()[1] if len(known) > 1 else 'computed'}" if not at else ""
                rows += _beside(f"{label:<{LABEL}}", proof, computed, at, step)
    return [*rows, *(_verdict(proof, whose, computed) for whose, computed in known.items())]


def _beside(label: str, proof: Proof, computed: bytes, at: int, step: int) -> list[Row]:
    """A part of a digest that was computed; below it a mark, if the first difference lies here."""
    rows = [Row(f"{label}{computed[at : at + step].hex()}", proof.segment)]
    first = difference(proof.answer, computed)
    if first is not None and at <= first < at + step:
        rows.append(Row(f"{'':<{LABEL + 2 * (first - at)}}^^", proof.segment, tone=Tone.WRONG))
    return rows


def _verdict(proof: Proof, whose: str, computed: bytes | None) -> Row:
    """Whether the answer is right under a key."""
    what = f"{proof.name}({whose}, challenge)"
    if computed is None:
        return Row(f"  {what}: this Python cannot compute it", proof.segment, tone=Tone.QUIET)
    at = difference(proof.answer, computed)
    if at is None:
        return Row(f"  {what} is equal", proof.segment, tone=Tone.GOOD)
    came, wanted = proof.answer[at : at + 1].hex() or "nothing", computed[at : at + 1].hex() or "nothing"
    said = Row(f"{came} came, {wanted} was computed", proof.segment)
    return Row(f"  {what} differs at byte {at}", proof.segment, (said,), Tone.WRONG)


def seen_by_others(proof: Proof, keys: Keys, after: list[str], width: int) -> list[Row]:
    """What a listener can do and, unless the answer is known to be wrong, a replay and a relay.

    ``after`` is what followed.
    """
    rows = [Row("A listener sees challenge and digest, but no secret.", proof.segment, _listener())]
    if not all(proof.computed(key) in (None, proof.answer) for key in keys.values()):
        rows.append(Row("A replay and a relay of this digest are refused, as it was.", proof.segment))
    else:
        replay, relay = _replay(proof, keys, width), _relay(after)
        rows.append(Row("A replay, which sends this digest again, is refused.", proof.segment, replay))
        rows.append(Row("A relay, which passes both on, is let in.", proof.segment, relay))
    return rows


def _listener() -> tuple[Row, ...]:
    return (
        Row("It can try one secret after another: compute the HMAC, and compare."),
        Row("Nobody notices that, so a secret must be too long to be guessed."),
    )


def _replay(proof: Proof, keys: Keys, width: int) -> tuple[Row, ...]:
    """Why an answer that was recorded is worth nothing: with a key, the answer to nearly the same challenge."""
    rows = [Row("Its connection has another challenge, and so another digest is right.")]
    key = next(iter(keys.values()), None)
    if key is None or not proof.challenge:
        return tuple(rows)
    nearly = Proof(bytes((*proof.challenge[:-1], proof.challenge[-1] ^ 1)), b"", proof.hash)
    right, other = proof.computed(key), nearly.computed(key)
    if right is None or other is None:
        return tuple(rows)
    same = sum(a == b for a, b in zip(right, other, strict=True))
    rows.append(Row("If only the challenge's last bit were different, it would be:"))
    rows += hex_rows("", other, "", 0, width - INDENT)
    rows.append(Row(f"Bytes that are the same as for this challenge: {same} of {len(other)}."))
    return tuple(rows)


def _relay(after: list[str]) -> tuple[Row, ...]:
    """What somebody in the middle gets."""
    followed = after or ["nothing yet"]
    return (
        Row("The digest proves that somebody knows the secret, but not who it is."),
        Row("Then it reads what follows, and can change it: nothing is signed."),
        Row("Here that was:"),
        *(Row(f"  {text}") for text in followed),
    )
