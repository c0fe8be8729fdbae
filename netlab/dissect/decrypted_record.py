"""What encrypted bytes carried: one record each, aligned with the bytes that carried it.

A topic whose bytes are encrypted has a ``plaintext.py`` with an `Opener` named ``open_records``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from netlab.capture.model import Direction
from netlab.dissect.fields import Field


@dataclass(frozen=True, slots=True)
class Opened:
    """One record, bytes ``start`` to ``end`` of its direction's stream, and the plaintext that it carried.

    Byte ``at + i`` of the stream carries byte ``i`` of ``plaintext``. ``name`` says what kind of record it turned out
    to be; ``fields`` are those of the plaintext, counted from its first byte. ``words`` says it in a line; without any
    the plaintext speaks for itself. ``secret`` names what opened it, never its value.
    """

    start: int
    end: int
    at: int
    name: str
    plaintext: bytes
    fields: tuple[Field, ...] = ()
    words: str = ""
    secret: str = ""


Opener = Callable[[str, memoryview, memoryview], Mapping[Direction, Sequence[Opened]] | None]
"""``open_records(secrets, to_server, to_client)``: the records of a conversation's two streams, from their beginnings,
that the secrets open; in order. None: the secrets are not of this conversation. Total, as a dissector is."""


class Conversation(Protocol):
    """One conversation that grows: the same as an `Opener`, each record opened once."""

    def grow(
        self, secrets: str, to_server: memoryview, to_client: memoryview, /
    ) -> Mapping[Direction, Sequence[Opened]] | None:
        """All records so far; both streams begin with what they were at the last call."""
