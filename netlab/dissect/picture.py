"""The contract of a picture of a flow: what happened between client and server, as rows to read from top to bottom.

A picture is drawn from a `SeenFlow` by a pure, total function: a handshake as a ladder, each request with its answer,
a pickle step by step. It knows no screen and no capture file; the picture pane shows it and folds its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from netlab.capture.model import Direction, Flow, Segment
from netlab.dissect.fields import Field

MOST_ROWS = 2000
"""Rows of a picture, with their details; what is left out is said in its note."""


class Tone(Enum):
    """How a row is coloured. Never the only thing that says it: the text says it, too."""

    PLAIN = "plain"
    GOOD = "good"
    WRONG = "wrong"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Row:
    """One line, not yet made safe for the screen.

    ``segment`` is the number of the segment that it is about (0: none): enter goes there. ``details`` are shown below
    it, indented, once it is unfolded.
    """

    text: str
    segment: int = 0
    details: tuple[Row, ...] = ()
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows, a title of a few words, and a note below the title: what is missing, or what to look at."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message of a flow, as its dissector found it.

    ``field`` is its outermost field, with offsets from the message's first byte, which is byte ``start`` of its
    direction's stream; ``data`` are its bytes, a view. It came in the segments ``first`` to ``last``, which crossed at
    ``began_ns`` and ``ended_ns``. ``summary`` is the dissector's line for it.
    """

    direction: Direction
    field: Field
    data: memoryview
    start: int
    first: int
    last: int
    began_ns: int
    ended_ns: int
    summary: str = ""


@dataclass(frozen=True, slots=True)
class SeenFlow:
    """A flow, as far as it was captured: its segments in order, and its messages in the order in which they ended.

    ``unfinished`` are the messages that wait for more bytes, at most one a direction: their fields and bytes are those
    that have come. Of a long flow ``segments`` are the first thousands, then only those that open or end it; and
    ``left_out`` says in a sentence what was too much to be read, or is empty. A datagram is one message; if its
    dissector found several fields side by side, a field ``datagram`` holds them.

    ``lost`` are the datagrams that the wire dropped, read as if each were the first.

    ``facts`` are what the lab knows beyond the bytes, by name: a topic's picture says which it uses (``secret`` of
    HMAC, ``verdict`` of a TLS client); none for other people's clients and opened captures.
    """

    flow: Flow
    segments: Sequence[Segment]
    messages: Sequence[Message] = ()
    left_out: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    unfinished: Sequence[Message] = ()
    lost: Sequence[Message] = ()


Draw = Callable[[SeenFlow, int], Picture | None]
"""Draws a flow for so many columns; None if there is nothing to draw of it. Any flow gives a picture or None, never an
exception. A row may be longer than the columns: it is cut with "…" on the screen, and whole when it is unfolded."""
