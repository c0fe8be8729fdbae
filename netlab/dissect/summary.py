"""A segment in a few words: what its dissector makes of its beginning, else the bytes as text or hex."""

from __future__ import annotations

from netlab.capture.model import Segment
from netlab.dissect.fields import Dissector
from netlab.dissect.text import safe

PREVIEW = 256
"""Bytes of a segment that its line may show."""
READ = 1024
"""Bytes of a segment that its dissector reads for the line: enough for a small HTTP message."""


def preview(chunk: memoryview) -> str:
    """The first bytes as escaped text, or as hex if they do not look like text."""
    head = bytes(chunk[:PREVIEW])
    text = head.decode("utf-8", "replace")
    odd = sum(1 for c in text if (not c.isprintable() and c not in "\r\n\t") or c == "�")
    if odd * 4 > len(text):
        return head[:32].hex(" ")
    return safe(text)


def said(segment: Segment, dissector: Dissector | None) -> str:
    """A segment's bytes in words, escaped; also those of a dropped one. Empty if it is not there for its bytes."""
    if not segment.carries:
        return ""
    if segment.length and not segment.data:
        return "(not kept)"
    data = segment.data if segment.dropped is None else segment.dropped
    return (_summary(segment, data, dissector) if dissector is not None else "") or preview(data)


def _summary(segment: Segment, data: memoryview, dissector: Dissector) -> str:
    """The dissector's summary of the beginning; empty if it fails, which the inspector reports."""
    try:
        return safe(dissector(data[:READ], segment.direction, segment.offset).summary)
    except Exception:  # noqa: BLE001 - a dissector of an installed package may raise anything
        return ""
