"""Flip a bit: one that is named, or any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.impairment.fault import Begin, FaultKind, Passing
from netlab.wire.impairment.requests import Forward, Request


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Flip bit ``bit`` (0 the lowest) of byte ``byte`` (from 0) of a segment; None for any."""

    byte: int | None = None
    bit: int | None = None

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Flip it, if the segment is long enough."""
        payload = segment.payload
        at = random.randrange(max(1, len(payload))) if self.byte is None else self.byte
        bit = random.randrange(8) if self.bit is None else self.bit
        if at >= len(payload):
            return (Forward(payload),)
        changed = bytearray(payload)
        changed[at] ^= 1 << bit
        return (Forward(memoryview(bytes(changed)), f"bit {bit} of byte {at} flipped", payload),)


def parse(words: list[str]) -> Begin:
    """Nothing for any bit, ``byte 7`` for any of that byte, ``bit 3 byte 7`` for that one."""
    named = dict(zip(words[::2], words[1::2], strict=False))
    numbers = [value for value in named.values() if value.isdecimal()]
    if len(words) % 2 or len(numbers) * 2 != len(words) or not named.keys() <= {"bit", "byte"}:
        raise ValueError("write corrupt for any bit, corrupt byte 7, or corrupt bit 3 byte 7")
    bit = int(named["bit"]) if "bit" in named else None
    if bit is not None and bit > 7:
        raise ValueError("a byte has bits 0 to 7")
    fault = Corrupt(int(named["byte"]) if "byte" in named else None, bit)
    return lambda: fault


KIND = FaultKind("corrupt", "[bit N] [byte N]", "every 2", "a bit of each segment is flipped", parse, order=80)
