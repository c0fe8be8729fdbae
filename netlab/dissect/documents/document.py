"""What a reader of documents (XML, JSON, a call in XML) finds in one: fields, and why it stopped.

It knows no protocol: HTTP gives it a body, put together and unpacked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netlab.dissect.fields import Field

SHOWN = 200
"""Characters of a value that are copied."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader of bodies found in one: fields, the message in one line, why it stopped."""

    fields: tuple[Field, ...] = ()
    summary: str = ""
    problem: str = ""


ContentReader = Callable[[memoryview, Callable[[int], int]], Content]
"""Reads a body as far as it has arrived; the second argument turns a position in it into one in the stream."""


def cut_text(text: str, length: int) -> str:
    """Text of which only the beginning is here; ``length`` is how many characters there are."""
    return text[:SHOWN] + (f"… ({length} characters)" if length > SHOWN else "")
