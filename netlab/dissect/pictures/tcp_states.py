"""TCP as the states of both ends: client left, server right, and between them what crossed.

Of the bytes to the client it says how many segments became how many calls of ``recv``, if `SeenFlow.facts` has them:
``recvs``, the lengths that the client's socket read, in order from its first byte; and ``connected``, that the
connection was made.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from netlab.capture.model import Direction, Kind, Outcome, Segment, Transport
from netlab.dissect.picture import MOST_ROWS, Picture, Row, SeenFlow, Tone
from netlab.dissect.pictures.connection_states import BothEnds, EndState, StateStep, beginning, steps
from netlab.dissect.pictures.durations import since

MOST_STEPS = 600
_MOST_DETAILS = 40
_STATE = max(len(state.value) for state in EndState)
_NARROWEST = 22
"""Columns of an arrow."""
_NAMES = {Kind.OPEN: "SYN", Kind.FIN: "FIN", Kind.RESET: "RST"}
_INFERRED = {Kind.OPEN: "SYN-ACK, ACK", Kind.FIN: "ACK"}
_LAST = "TIME_WAIT lasts for a minute or so, in case the last ACK was lost; then that end is CLOSED, too."


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """A row for each step of the connection; None if it is no TCP, or nothing crossed."""
    if seen.flow.transport is not Transport.TCP or not seen.segments:
        return None
    recvs = Recvs.of(seen.facts.get("recvs"))
    connected = seen.facts.get("connected") is True
    made = list(steps(seen.segments, connected))
    drawn = _Drawn(max(width - 2 * (_STATE + 1), _NARROWEST), seen.segments[0].time_ns, recvs)
    rows = [drawn.ends(beginning(seen.segments, connected), seen), *map(drawn.row, _shortened(made, MOST_STEPS))]
    return Picture("states of both ends", tuple(rows), _note(seen, made, recvs))


def _shortened(made: Sequence[StateStep], most: int) -> Iterable[StateStep | int]:
    """At most so many steps: of the data in the middle only the number. What changes a state stays."""
    if len(made) <= most:
        yield from made
        return
    head, tail = most // 2, len(made) - most // 4
    left = 0
    for index, step in enumerate(made):
        if head <= index < tail and (step.kind is Kind.DATA or index - head > most // 4):
            left += 1
            continue
        if left:
            yield left
            left = 0
        yield step


class Recvs:
    """What each ``recv`` of the client read: the end of each in the stream to the client."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.lengths = lengths
        self._ends = list(accumulate(lengths))

    @classmethod
    def of(cls, fact: object) -> Recvs | None:
        """From the fact; None if it is not known."""
        if not isinstance(fact, Sequence) or isinstance(fact, str | bytes):
            return None
        if not all(isinstance(length, int) and length > 0 for length in fact):
            return None
        return cls(list(fact))

    @property
    def read(self) -> int:
        """How many bytes were read."""
        return self._ends[-1] if self._ends else 0

    def between(self, start: int, end: int) -> list[int]:
        """The lengths of the calls that read any byte of a part of the stream."""
        first = bisect_right(self._ends, start)
        last = bisect_left(self._ends, end)
        return list(self.lengths[first : last + 1])


class _Drawn:
    """Draws steps in so many columns between the two states."""

    def __init__(self, middle: int, start: int, recvs: Recvs | None) -> None:
        self._middle, self._start, self._recvs = middle, start, recvs
        self._room = MOST_ROWS - MOST_STEPS - 200

    def ends(self, at_first: BothEnds, seen: SeenFlow) -> Row:
        """The row of the two ends, before anything crossed."""
        between = f"client {seen.flow.client}"
        right = f"{seen.flow.server} server"
        gap = max(self._middle - len(between) - len(right), 1)
        return Row(self._line(at_first, f"{between}{' ' * gap}{right}"), tone=Tone.QUIET)

    def _line(self, ends: BothEnds, between: str, behind: str = "") -> str:
        left, right = (end.value for end in ends)
        return f"{left:<{_STATE}} {between:<{self._middle}} {right:<{_STATE}}{behind}".rstrip()

    def row(self, step: StateStep | int) -> Row:
        """A step; of those that are left out their number."""
        if isinstance(step, int):
            return Row(f"{'':<{_STATE}} {f'… {step:,} runs of segments more':^{self._middle}}", tone=Tone.QUIET)
        words = self._words(step)
        remark = "; ".join(filter(None, (step.wrong, _fates(step.segments))))
        line = self._line(step.after, self._arrow(step, words), f"  {remark}" if remark else "")
        details = self._details(step)
        self._room -= len(details)
        return Row(line, step.segments[0].number if step.segments else 0, details, _tone(step))

    def _words(self, step: StateStep) -> str:
        if step.inferred:
            return f"({_INFERRED[step.kind]})"
        if step.kind is not Kind.DATA:
            return _NAMES[step.kind]
        count, total = len(step.segments), sum(segment.length for segment in step.segments)
        behind = ", half-closed" if step.half_closed else ""
        return f"{_counted(count, 'segment')}, {_counted(total, 'byte')}{behind}"

    def _arrow(self, step: StateStep, words: str) -> str:
        line = "╌" if step.inferred else "─"
        body = f" {words} ".center(max(self._middle - 2, len(words) + 2), line)
        if step.lost:
            return f"{line}{body}✗" if step.way is Direction.TO_SERVER else f"✗{body}{line}"
        return f"{line}{body}▸" if step.way is Direction.TO_SERVER else f"◂{body}{line}"

    def _details(self, step: StateStep) -> tuple[Row, ...]:
        rows = [self._segment(segment) for segment in step.segments[:_MOST_DETAILS]] if len(step.segments) > 1 else []
        if step.kind is Kind.DATA and step.way is Direction.TO_CLIENT and not step.lost:
            rows = [*self._read_by(step), *rows]
        if len(step.segments) > _MOST_DETAILS:
            rows.append(Row(f"… {len(step.segments) - _MOST_DETAILS:,} segments more", tone=Tone.QUIET))
        if EndState.TIME_WAIT in step.after and step.inferred:
            rows.append(Row(_LAST, tone=Tone.QUIET))
        if len(step.segments) == 1 and not rows:
            rows = [self._segment(step.segments[0])]
        return tuple(rows[: max(self._room, 0)])

    def _segment(self, segment: Segment) -> Row:
        words = _NAMES.get(segment.kind, "") or _counted(segment.length, "byte")
        fate = f", {segment.words}" if segment.words else ""
        return Row(f"{since(segment.time_ns - self._start)}  {words}{fate}", segment.number)

    def _read_by(self, step: StateStep) -> list[Row]:
        """How the client's calls of recv took these segments, if that is known."""
        if self._recvs is None:
            return []
        start = step.segments[0].offset
        end = step.segments[-1].offset + step.segments[-1].length
        found = self._recvs.between(start, min(end, self._recvs.read))
        if self._recvs.read <= start or not found:
            return [Row("not read by the client yet", tone=Tone.QUIET)]
        lengths = ", ".join(f"{length:,}" for length in found[:20]) + (", …" if len(found) > 20 else "")
        rest = f", {_counted(end - self._recvs.read, 'byte')} not read yet" if end > self._recvs.read else ""
        words = f"{_counted(len(step.segments), 'segment')} became {_counted(len(found), 'recv')} of the client"
        return [Row(f"{words}: {lengths} bytes{rest}", tone=Tone.QUIET)]


def _tone(step: StateStep) -> Tone:
    if step.inferred:
        return Tone.QUIET
    return Tone.WRONG if step.wrong or step.lost or step.kind is Kind.RESET else Tone.PLAIN


def _fates(segments: Sequence[Segment]) -> str:
    """What the wire did to them: all of it if it was one, else to how many."""
    fates = [segment.words for segment in segments if segment.words]
    if len(segments) == 1 or not fates:
        return "".join(fates)
    return f"the wire changed {len(fates):,} of them" if len(set(fates)) > 1 else f"{fates[0]} ({len(fates):,} of them)"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _note(seen: SeenFlow, made: Sequence[StateStep], recvs: Recvs | None) -> str:
    parts = []
    if seen.segments[0].kind is not Kind.OPEN:
        parts.append("The capture begins within the connection.")
    down = [s for s in seen.segments if s.direction is Direction.TO_CLIENT and s.length]
    if recvs is not None and (down := [s for s in down if s.outcome is not Outcome.DROPPED]):
        words = f"{_counted(len(down), 'segment')} to the client became {_counted(len(recvs.lengths), 'recv')}"
        total = down[-1].offset + down[-1].length
        parts.append(f"{words}{', so far' if recvs.read < total else ''}.")
    if any(step.inferred for step in made):
        parts.append("╌ was not captured; it is inferred.")
    if made and made[-1].after.client is EndState.SYN_SENT:
        parts.append("Whether the SYN was answered is not seen: a SYN-ACK is no segment of the capture.")
    return " ".join(filter(None, (*parts, seen.left_out)))
