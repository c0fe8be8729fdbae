"""Durations in a few characters, as pictures show them."""

from __future__ import annotations

_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))


def span(nanoseconds: int) -> str:
    """``310 µs``, ``1.2 ms``, ``703 ms``, ``2.1 s``; below 0 if the later one came first."""
    if nanoseconds < 0:
        return f"-{span(-nanoseconds)}"
    size, unit = next(((size, unit) for size, unit in _UNITS if nanoseconds >= size), (1_000, "µs"))
    value = nanoseconds / size
    return f"{value:.1f} {unit}" if value < 10 and unit != "µs" else f"{value:,.0f} {unit}"


def since(nanoseconds: int) -> str:
    """A moment, counted from the beginning of the flow: ``0.000 s``."""
    return f"{nanoseconds / 1e9:.3f} s"
