"""Times, sizes and rates as people write them, and as the screen shows them."""

from __future__ import annotations

import re

_TIME = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_SIZE = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": 1000,
    "kib": 1 << 10,
    "m": 10**6,
    "mb": 10**6,
    "mib": 1 << 20,
    "gb": 10**9,
    "gib": 1 << 30,
}
LONGEST = 3600.0
"""Seconds: a longer hold is a mistake, or ``stall`` without a time."""


def seconds(text: str) -> float:
    """``100ms`` → 0.1. Raises `ValueError` with a sentence."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)(us|µs|ms|s)", text)
    if found is None or float(found[1]) * _TIME[found[2]] > LONGEST:
        raise ValueError(f"{text!r} is not a time up to an hour; write 100ms or 1.5s")
    return float(found[1]) * _TIME[found[2]]


def size(text: str) -> int:
    """``64KiB`` → 65536. Raises `ValueError` with a sentence."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)([a-zA-Z]*)", text)
    if found is None or found[2].lower() not in _SIZE:
        raise ValueError(f"{text!r} is not a size; write 100, 64KiB or 1MB")
    return int(float(found[1]) * _SIZE[found[2].lower()])


def time_in_words(value: float) -> str:
    """0.1 → ``100 ms``."""
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.0f} ms" if value < 10 else f"{value:.0f} s"


def one(words: list[str], what: str) -> str:
    """The only word. Raises `ValueError` that says what is wanted."""
    if len(words) != 1:
        raise ValueError(f"write {what}")
    return words[0]


def after(words: list[str]) -> int:
    """``after N`` (or only ``N``) in bytes, 0 for nothing. Raises `ValueError` with a sentence."""
    if not words:
        return 0
    if len(words) > 2 or (len(words) == 2 and words[0] != "after"):
        raise ValueError(f"{' '.join(words)!r} is not understood; write the bytes that go before, such as: after 10")
    return size(words[-1])
