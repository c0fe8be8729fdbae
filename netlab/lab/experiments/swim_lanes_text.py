"""Swim lanes as text: one row per client on one time axis, two models side by side if there is room.

Pure: lanes in, rows of text out. A row needs no colour: each phase has a glyph, and there are words beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from netlab.lab.experiments.swim_lanes import SECOND, Board, Lane, LanePhase

MOST = 32
"""The most rows of a picture. It shows the newest; the others are counted."""
SIDE_BY_SIDE = 100
"""The least columns of a terminal that shows two models side by side, on axes of the same scale."""
GLYPHS = {
    LanePhase.CONNECTING: "·",
    LanePhase.QUEUED: "░",
    LanePhase.UNSURE: "▒",
    LanePhase.SERVED: "█",
    LanePhase.CLOSED: "┤",
}

_WORDS, _FEW_WORDS = 18, 8  # columns at the end of a row, with a space before them
_ROOM_FOR_WORDS, _ROOM_FOR_FEW, _ROOM_FOR_NAMES = 48, 24, 44
_SHORTEST_NAME, _LONGEST_NAME = 6, 16
_BETWEEN = " │ "
_NUMBERED = re.compile(r"client (\d+)")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of names, axis and words. ``room`` is the width of one board; ``beside`` puts two in a row.

    If two boards share little room, clients are named by their numbers, and there are fewer words.
    """

    room: int
    name: int
    beside: bool = False

    @classmethod
    def of(cls, boards: Sequence[Board], width: int, beside: bool = False) -> Layout:
        """For these boards in ``width`` columns; ``beside``: two in a row, if there are two."""
        beside = beside and len(boards) > 1
        layout = cls((width - len(_BETWEEN)) // 2 if beside else width, 0, beside)
        names = [len(layout.called(lane)) for board in boards for lane in board.lanes]
        shortest = 1 if layout.numbers else _SHORTEST_NAME
        return replace(layout, name=min(max([shortest, *names]), _LONGEST_NAME))

    @property
    def numbers(self) -> bool:
        """Whether there is only room for a client's number instead of its name."""
        return self.beside and self.room < _ROOM_FOR_NAMES

    @property
    def margin(self) -> int:
        """Columns of the words at the end of a row."""
        if self.beside and self.room < _ROOM_FOR_WORDS:
            return _FEW_WORDS if self.room >= _ROOM_FOR_FEW else 0
        return _WORDS if self.room >= _ROOM_FOR_WORDS else 0

    @property
    def columns(self) -> int:
        """Columns of the axis."""
        return max(self.room - self.name - self.margin - 2, 8)

    def called(self, lane: Lane) -> str:
        """The client's name in its row."""
        numbered = _NUMBERED.fullmatch(lane.name) if self.numbers else None
        return numbered[1] if numbered else lane.name

    def title(self, board: Board) -> str:
        """The title of a board: the model and, in little room, the names of the columns."""
        if self.margin != _FEW_WORDS or not board.title:
            return board.title[: self.room]
        title = f"{board.title}, clients" if self.numbers else board.title
        return f"{title:<{self.name + 2 + self.columns}}waited"[: self.room]

    def row(self, lane: Lane, seen: str, now: int) -> str:
        """One client: its name, its glyphs, how long it waited."""
        row = f"{self.called(lane)[: self.name]:<{self.name}} {seen}"
        words = {_WORDS: lane.words, _FEW_WORDS: lane.wait}.get(self.margin)
        return (f"{row} {words(now)}" if words else row).rstrip()[: max(self.room, self.name + 1 + self.columns)]

    def joined(self, blocks: Sequence[Sequence[str]]) -> list[str]:
        """The boards' rows one above the other, or two boards in a row."""
        if not self.beside:
            return [row for block in blocks for row in block]
        rows: list[str] = []
        for left, right in zip_longest(blocks[::2], blocks[1::2], fillvalue=()):
            rows += self._pair(left, right)
        return rows

    def foot(self, axis: Sequence[str]) -> Iterator[str]:
        """The axis below the rows, for both sides if there are two."""
        indent = " " * (self.name + 1)
        side = [indent + line for line in axis]
        return iter(self._pair(side, side) if self.beside else side)

    def _pair(self, left: Sequence[str], right: Sequence[str]) -> list[str]:
        both = zip_longest(left, right, fillvalue="")
        return [f"{one:<{self.room}}{_BETWEEN}{other}".rstrip() for one, other in both]

    def split(self, row: str) -> tuple[str, ...]:
        """A row cut into names and the parts right of them, in turns."""
        if not self.beside:
            return row[: self.name], row[self.name :]
        at = self.room + len(_BETWEEN)
        return row[: self.name], row[self.name : self.room], row[self.room : at + self.name], row[at + self.name :]


def render(lanes: Sequence[Lane], width: int = 80, now: int | None = None) -> list[str]:
    """Rows, axis and legend, ``width`` columns at most. ``now``: nanoseconds since the epoch, None after the fact."""
    last = max((at for lane in lanes for at in (lane.opened, lane.accepted, lane.closed) if at), default=0)
    return render_boards([Board("", tuple(lanes), last if now is None else now)], width)


def render_boards(boards: Sequence[Board], width: int = 80, *, beside: bool = False) -> list[str]:
    """TabPicture on one time axis that begins with the first client of each: one above the other, or ``beside``."""
    drawn = [newest(board) for board in boards]
    layout = Layout.of(drawn, width, beside)
    length = max((board.length for board in drawn), default=1)
    rows = layout.joined([_block(board, layout, length) for board in boards])
    ruler = layout.foot(axis(layout.columns, length)) if any(board.lanes for board in boards) else ()
    return [*rows, *ruler, *legend(width, unsure=unsure(drawn))]


def _block(board: Board, layout: Layout, length: int) -> list[str]:
    drawn, before = newest(board), len(board.lanes) - MOST
    rows = [layout.title(board)] if board.title else []
    rows += [] if drawn.lanes else ["no client yet"]
    rows += [f"{before} clients before these"] if before > 0 else []
    for lane in drawn.lanes:
        rows.append(layout.row(lane, cells(lane, drawn.start, drawn.now, layout.columns, length), drawn.now))
    return rows


def axis(columns: int, length: int) -> list[str]:
    """A ruler over ``length`` nanoseconds and the seconds below it."""
    step = _step(columns, length)
    ruler, labels = ["─"] * columns, [" "] * (columns + 8)
    digits = digits_of(step)
    for number in range(length // step + 1):
        column = min(int(number * step * columns / length), columns - 1)
        label = f"{number * step / SECOND:.{digits}f}" + (" s" if number == 0 else "")
        if column + len(label) > columns and number:
            break
        ruler[column] = "┬"
        labels[column : column + len(label)] = label
    return ["".join(ruler), "".join(labels).rstrip()]


def unsure(boards: Sequence[Board]) -> bool:
    """Whether the server did not report when it accepted one of these clients."""
    return any(lane.accepted_after is not None for board in boards for lane in board.lanes)


def legend(width: int, *, unsure: bool = False) -> list[str]:
    """What the glyphs mean, on as many lines as it needs."""
    lines = [""]
    shown = [phase for phase in GLYPHS if unsure or phase is not LanePhase.UNSURE]
    for word in (f"{GLYPHS[phase]} {phase.value}" for phase in shown):
        longer = f"{lines[-1]}   {word}" if lines[-1] else word
        if len(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def cells(lane: Lane, start: int, now: int, columns: int, length: int) -> str:
    """One row's glyphs: ``columns`` over ``length`` nanoseconds from ``start``.

    Even the shortest service has one cell, and so has the shortest wait that the words beside it mention.
    """
    row = [" "] * columns
    after = least = 0
    for span in lane.spans:
        end = now if span.end is None else span.end
        waits = span.phase is LanePhase.QUEUED and lane.waited
        first = min(max(_column(span.start - start, columns, length), least), max(columns - 1 - waits, 0))
        after = max(_column(end - start, columns, length), first + 1)
        row[first:after] = GLYPHS[span.phase] * (after - first)
        least = first + waits
    if lane.closed is not None and after < columns:
        row[after] = GLYPHS[LanePhase.CLOSED]
    return "".join(row[:columns])


def _column(at: int, columns: int, length: int) -> int:
    return min(max(at, 0) * columns // length, columns - 1)


def newest(board: Board) -> Board:
    """The board with the lanes that are drawn."""
    return replace(board, lanes=board.lanes[-MOST:])


def digits_of(step: int) -> int:
    """Decimal places that distinguish times in seconds which are ``step`` nanoseconds apart."""
    return max(0, len(str(SECOND)) - len(str(step)))


def _step(columns: int, length: int) -> int:
    """The shortest of 1, 2, 5, 10 … between two marks that leaves room for labels: ten columns at least."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * columns >= max(10, digits_of(step * factor) + 5) * length:
                return step * factor
        step *= 10
