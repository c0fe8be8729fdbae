"""Unpacks compressed bytes, within the bounds of a derived buffer: a bomb is cut, and that is said."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from netlab.dissect.fields import most_derived

_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15), "zlib": (15,)}
"""``wbits`` of `zlib.decompressobj`. What is called deflate is zlib's format, or the bare one (RFC 9110, 8.4.1.2)."""


class Unpacked(NamedTuple):
    """Unpacked bytes, as far as they go, and why not further."""

    data: bytes
    problem: str = ""


def unpack(packed: bytes | memoryview, coding: str, *, whole: bool = True) -> Unpacked | None:
    """Unpack gzip or deflate; None if the coding is not one of them. ``whole``: no more of it will come."""
    windows = _WINDOWS.get(coding.strip().lower())
    if windows is None:
        return None
    tried = [_inflate(packed, wbits, coding.strip().lower(), whole) for wbits in windows]
    return max(tried, key=lambda unpacked: (not unpacked.problem, len(unpacked.data)))


def _inflate(packed: bytes | memoryview, wbits: int, name: str, whole: bool) -> Unpacked:
    most = most_derived(len(packed))
    inflater, data = zlib.decompressobj(wbits), bytearray()
    try:
        rest: bytes | memoryview = packed
        while rest and not inflater.eof and len(data) < most:
            data += inflater.decompress(rest, most - len(data))
            rest = inflater.unconsumed_tail
    except zlib.error as error:
        return Unpacked(bytes(data), f"this is not {name}: {str(error).partition(': ')[2] or error}")
    return Unpacked(bytes(data), _why_not_all(inflater.eof, bool(inflater.unconsumed_tail), most, name, whole))


def _why_not_all(ended: bool, more: bool, most: int, name: str, whole: bool) -> str:
    if more:
        return f"only the first {most:,} bytes are unpacked"
    return f"the {name} data ends too early" if whole and not ended else ""
