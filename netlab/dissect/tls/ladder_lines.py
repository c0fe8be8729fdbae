"""The lines of a ladder: arrows between two rails, client left and server right, and remarks between them."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.picture import Row, Tone

NARROWEST = 24
MOST_TEXT = 300


def plain(text: str) -> str:
    """Text of a peer with one column for each character, so that the rails stay straight."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)


def cut(text: str, most: int) -> str:
    """Text of at most so many characters; what is left out shows as ``…``."""
    return text if len(text) <= most else text[: max(most - 1, 0)] + "…"


def ends(client: str, server: str, width: int) -> str:
    """Who stands at the two rails."""
    return f"client {client}".ljust(max(width, NARROWEST) - len(server) - 7) + f"server {server}"


def arrow(text: str, direction: Direction, width: int) -> str:
    """An arrow from rail to rail, the text at the side of who says it."""
    room = max(width, NARROWEST) - 6
    shown = cut(text, room)
    shaft = "─" * (room - len(shown))
    return f"├─ {shown} {shaft}─▶" if direction is Direction.TO_SERVER else f"◀─{shaft} {shown} ─┤"


def remark(text: str, width: int, *, segment: int = 0, details: tuple[Row, ...] = (), tone: Tone = Tone.PLAIN) -> Row:
    """A remark between the rails; what does not fit stands whole in its first detail."""
    room = max(width, NARROWEST) - 5
    shown = cut(text, room)
    whole = (Row(text[:MOST_TEXT], segment, tone=tone),) if shown != text else ()
    return Row(f"│  {shown.ljust(room)} │", segment, (*whole, *details), tone)
