"""A flow of `multiprocessing.connection` as a picture: its handshake with what it proves, and each pickle step by step.

Nothing is loaded: the steps are those of `netlab.dissect.pickles.pickle_steps`.
"""

from __future__ import annotations

from netlab.capture.model import Direction, Kind
from netlab.dissect.pickles.handshake_rows import HandshakeRows
from netlab.dissect.pickles.step_rows import PickleRows
from netlab.dissect.picture import Message, Picture, Row, SeenFlow, Tone
from netlab.dissect.proof import keys_of

MOST_MESSAGES = 400


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The messages of a flow. Its facts may have the authkeys of client and server."""
    messages = [*seen.messages, *seen.unfinished][-MOST_MESSAGES:]
    if not messages:
        return None
    pickles, handshake = PickleRows(messages), HandshakeRows(messages, keys_of(seen.facts, "authkey"), width)
    rows: list[Row] = []
    for at, message in enumerate(messages):
        rows += handshake.rows(at) or [pickles.row(seen, at) or _other(message)]
    rows += _refusal(seen, messages[-1], pickles)
    return Picture("Pickles, step by step", (*rows, *handshake.others()), _note(seen, len(messages), pickles))


def _refusal(seen: SeenFlow, last: Message, pickles: PickleRows) -> list[Row]:
    """How the server ended the connection, if nothing came after a pickle that would run code."""
    ends = [segment for segment in seen.segments if segment.kind in (Kind.FIN, Kind.RESET)]
    server = bool(ends) and ends[0].direction is Direction.TO_CLIENT
    if not server or last.direction is Direction.TO_CLIENT or not pickles.runs_last:
        return []
    how = "reset" if ends[0].kind is Kind.RESET else "closed"
    return [Row(f"← the server answered nothing, and {how} the connection", ends[0].number, tone=Tone.GOOD)]


def _other(message: Message) -> Row:
    """A message that is neither."""
    size = message.field.end - message.field.start
    value = f"  {message.field.value}" if message.field.value else ""
    return Row(f"{message.direction.value} {message.field.name}  {size:,} bytes{value}", message.first)


def _note(seen: SeenFlow, shown: int, pickles: PickleRows) -> str:
    """What to look at, and what is left out."""
    left_out = len(seen.messages) + len(seen.unfinished) - shown
    running, count, without = pickles.running, pickles.count, pickles.without_steps
    parts = [
        f"{running} of {count} pickles would run code when loaded." if running else "",
        "Nothing was loaded to draw this." if count else "",
        f"{without} of {count} pickles are shown without their steps." if without else "",
        f"The first {left_out:,} messages are left out." if left_out > 0 else "",
        seen.left_out,
    ]
    return " ".join(filter(None, parts))
