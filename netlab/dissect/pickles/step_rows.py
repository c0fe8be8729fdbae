"""The pickles among a flow's messages as rows: a row for each, and below it a row for each of its steps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from netlab.dissect.field_reader import Short
from netlab.dissect.fields import Field
from netlab.dissect.length_prefix import NoLength, read_frame
from netlab.dissect.pickles.pickle_steps import UNFINISHED, Followed, PickleStep, follow
from netlab.dissect.pickles.value_text import text_of
from netlab.dissect.picture import MOST_ROWS, Message, Row, SeenFlow, Tone

MOST_FOLLOWED = 8000
"""Opcodes of all pickles together that are followed."""
MOST_STEPS = 300
"""Steps of one pickle that have a row."""
OBJECT_ROOM = 600
"""Characters of an object that are shown …"""
STEP_ROOM = 300
"""… and of what there is of it after a step."""
_ROWS_A_STEP = 4
_SPARE = 100
"""Rows that are left for what is not a step."""
_QUIET = ("PROTO", "FRAME", "MARK", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT")


class PickleRows:
    """The pickles of some messages. As many as there is room for have their steps: first those that run code."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._places = {at: place for at, message in enumerate(messages) if (place := pickle_in(message)) is not None}
        self._messages = messages
        self._found = self._follow_all()
        self._unfold()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._found)

    @property
    def running(self) -> int:
        """How many of them run code when they are loaded."""
        return sum(bool(found.runs) for found in self._found.values())

    @property
    def runs_last(self) -> bool:
        """Whether the last message is a pickle that runs code."""
        found = self._found.get(len(self._messages) - 1)
        return found is not None and bool(found.runs)

    @property
    def without_steps(self) -> int:
        """How many have no row for a step."""
        return sum(not found.steps for found in self._found.values())

    def row(self, seen: SeenFlow, at: int) -> Row | None:
        """A message's row, if it is a pickle."""
        if (found := self._found.get(at)) is None:
            return None
        message = self._messages[at]
        segments = _Segments(seen, message)
        longest = max((len(step.name) for step in found.steps), default=0)
        details = tuple(_step_row(found, step, segments.at(step.start), longest) for step in found.steps)
        text, tone = _outcome(found)
        value = text_of(found.root.value, OBJECT_ROOM) if found.root is not None else ""
        return Row(
            "  ".join(filter(None, (f"{message.direction.value} pickle", value, text))), message.first, details, tone
        )

    def _follow_all(self) -> dict[int, Followed]:
        """What each does, the newest first, without the text of its steps."""
        left, found = MOST_FOLLOWED, {}
        for at, place in reversed(self._places.items()):
            found[at] = _followed(self._messages[at], place, left, 0)
            left -= found[at].count
        return found

    def _unfold(self) -> None:
        """Follow again those that are to have steps."""
        left = (MOST_ROWS - len(self._messages) - _SPARE) // _ROWS_A_STEP
        for at in sorted(self._found, key=lambda at: (bool(self._found[at].runs), at), reverse=True):
            found = self._found[at]
            wanted = min(found.count, MOST_STEPS)
            if wanted + len(found.steps) > left:
                break
            self._found[at] = _followed(self._messages[at], self._places[at], found.count, wanted)
            left -= len(self._found[at].steps)


def pickle_in(message: Message) -> Field | None:
    """The field of the pickle that a message is."""
    return next((part for part in message.field.children if part.kind == "pickle"), None)


def _followed(message: Message, place: Field, most: int, kept: int) -> Followed:
    data = message.data
    try:
        whole = read_frame(data, 0).end <= len(data)
    except (Short, NoLength):  # it begins elsewhere
        whole = True
    return follow(data, place.start, len(data), most=most, kept=kept, whole=whole)


class _Segments:
    """In which segment each byte of a message came."""

    def __init__(self, seen: SeenFlow, message: Message) -> None:
        mine = [
            segment
            for segment in seen.segments
            if message.first <= segment.number <= message.last
            and segment.direction is message.direction
            and segment.carries
        ]
        self._starts = [segment.offset - message.start for segment in mine]
        self._numbers = [segment.number for segment in mine]
        self._first = message.first

    def at(self, offset: int) -> int:
        """The number of the segment with that byte."""
        index = bisect_right(self._starts, offset) - 1
        return self._numbers[index] if index >= 0 else self._first


def _outcome(found: Followed) -> tuple[str, Tone]:
    """What loading a pickle does, in a few words."""
    steps = f"{found.count:,} {'step' if found.count == 1 else 'steps'}"
    if found.runs:
        step = next((each for each in found.runs if not each.runs.startswith("imports")), found.runs[0])
        return f"WOULD RUN CODE at step {step.number:,} of {found.count:,}, {step.name}: it {step.runs}", Tone.WRONG
    if found.problem:
        return f"{steps}: {found.problem}", Tone.QUIET if found.problem == UNFINISHED else Tone.WRONG
    protocol = f", protocol {found.protocol}" if found.protocol else ""
    return f"{steps}{protocol}, only data", Tone.PLAIN


def _step_row(found: Followed, step: PickleStep, segment: int, longest: int) -> Row:
    """A step, with the object, the stack and the memo after it below; the longest name has so many characters."""
    begin = f"{step.number:>{len(f'{found.count:,}')},}  {step.name:<{longest}} "
    tone = Tone.QUIET if step.name in _QUIET else Tone.PLAIN
    if step.runs:
        begin, tone = f"{begin} WOULD RUN CODE: it {step.runs}.", Tone.WRONG
    if step.problem == UNFINISHED:
        begin, tone = f"{begin} {step.problem[:1].upper()}{step.problem[1:]}.", Tone.QUIET
    elif step.problem:
        begin, tone = f"{begin} LOADING FAILS: {step.problem}.", Tone.WRONG
    after = [("object", found.so_far(step, STEP_ROOM)), ("stack", step.stack), ("memo", step.memo)]
    details = tuple(Row(f"{name:<7} {text}", segment) for name, text in after if text)
    return Row(f"{begin} {step.sentence}".rstrip(), segment, details, tone)
