"""A flow of `multiprocessing.connection` as a picture: its handshake with what it proves, and each pickle step by step.

Nothing is loaded: the steps are those of `netlab.dissect.pickles.pickle_steps`.
"""

from __future__ import annotations

from netlab.dissect.pickles.handshake_rows import HandshakeRows
from netlab.dissect.pickles.step_rows import PickleRows
from netlab.dissect.picture import Message, Picture, Row, SeenFlow
from netlab.dissect.proof import Keys

MOST_MESSAGES = 400


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The messages of a flow, of which no key is known."""
    return draw_with(seen, {})


def draw_with(seen: SeenFlow, keys: Keys) -> Picture | None:
    """The messages of a flow; digests of the handshake are compared with those that the keys give."""
    if not seen.messages:
        return None
    messages = seen.messages[-MOST_MESSAGES:]
    pickles, handshake = PickleRows(messages), HandshakeRows(messages, keys)
    rows: list[Row] = []
    for at, message in enumerate(messages):
        rows += handshake.rows(at) or [pickles.row(seen, at) or _other(message)]
    return Picture("Pickles, step by step", (*rows, *handshake.others()), _note(seen, len(messages), pickles))


def _other(message: Message) -> Row:
    """A message that is neither."""
    size = message.field.end - message.field.start
    value = f"  {message.field.value}" if message.field.value else ""
    return Row(f"{message.direction.value} {message.field.name}  {size:,} bytes{value}", message.first)


def _note(seen: SeenFlow, shown: int, pickles: PickleRows) -> str:
    """What to look at, and what is left out."""
    left_out = len(seen.messages) - shown
    running, count, without = pickles.running, pickles.count, pickles.without_steps
    parts = [
        f"{running} of {count} pickles would run code when loaded." if running else "",
        "Nothing was loaded to draw this." if count else "",
        f"{without} of {count} pickles are shown without their steps." if without else "",
        f"The first {left_out:,} messages are left out." if left_out > 0 else "",
        seen.left_out,
    ]
    return " ".join(filter(None, parts))
