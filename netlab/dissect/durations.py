"""Durations in words, as pictures show them."""

from __future__ import annotations


def duration(nanoseconds: int) -> str:
    """Three digits or so, and a unit: ``0.04 ms``, ``1.5 ms``, ``120 ms``, ``3.2 s``."""
    if not nanoseconds:
        return "0 ms"
    milliseconds = nanoseconds / 1e6
    if abs(milliseconds) < 1:
        return f"{milliseconds:.2f} ms"
    if abs(milliseconds) < 100:
        return f"{milliseconds:.1f} ms"
    return f"{milliseconds:.0f} ms" if abs(milliseconds) < 1000 else f"{milliseconds / 1000:.1f} s"
