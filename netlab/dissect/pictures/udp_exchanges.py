"""UDP as calls: each request with its answer or its silence, its tries together, late and double answers named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from netlab.capture.model import Direction, Transport
from netlab.dissect.picture import MOST_ROWS, Picture, Row, SeenFlow, Tone
from netlab.dissect.pictures.durations import since, span
from netlab.dissect.pictures.exchange_pairing import Datagram, Exchange, datagrams, pair

MOST_CALLS = 500
_MOST_DETAILS = 40
_MOST_WORDS = 1000
"""Characters of a datagram's own words."""


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """A row for each call; None if it is no UDP, or nothing crossed."""
    if seen.flow.transport is not Transport.UDP:
        return None
    found = pair(datagrams(seen))
    if not found:
        return None
    calls = found[:MOST_CALLS]
    start = seen.segments[0].time_ns
    names = [_name(call) for call in calls]
    asked = [len(name) for call, name in zip(calls, names, strict=True) if call.tries]
    column = min(max(asked or map(len, names)), max(width // 3, 10))
    room = max(MOST_ROWS - len(calls), 0)
    rows = []
    for call, name in zip(calls, names, strict=True):
        row = _row(call, name, column, _details(call, start), min(_MOST_DETAILS, room))
        room -= len(row.details)
        rows.append(row)
    return Picture("requests and answers", tuple(rows), _note(found, seen))


def _name(call: Exchange) -> str:
    if not call.tries:
        return call.answers[0].words[:_MOST_WORDS]
    return call.tries[0].words[:_MOST_WORDS]


def _row(call: Exchange, name: str, column: int, details: Sequence[Row], most: int) -> Row:
    number = (call.tries or call.answers)[0].segment.number
    words, tone = _outcome(call)
    shown = name if len(name) <= column else name[: column - 1] + "…"
    return Row(f"{shown:<{column}}  {words}", number, tuple(details[:most]), tone)


def _outcome(call: Exchange) -> tuple[str, Tone]:
    """What became of a call, in words."""
    came, tries = call.came, len(call.tries)
    if not call.tries:
        return ("answers nothing that was asked", Tone.WRONG) if came else ("lost by the wire", Tone.WRONG)
    if not came:
        asked = f"asked {_times(tries)}, " if tries > 1 else ""
        return f"{asked}{_silence(call)}", Tone.WRONG
    words = f"answered in {span(call.round_trip or 0)}"
    if tries > 1:
        tried = sum(each.segment.number < came[0].segment.number for each in call.tries)
        whole = came[0].segment.time_ns - call.tries[0].segment.time_ns
        words = f"answered {span(call.round_trip or 0)} after try {tried}, {span(whole)} in all"
    tone = Tone.GOOD
    if call.overtaken is not None and _is_late(call):
        words, tone = f"{words}; late: {_other(call.overtaken)} was asked meanwhile", Tone.WRONG
    if len(came) > 1:
        words, tone = f"{words}; {_double(len(came) - 1)}", Tone.WRONG
    return words, tone


def _silence(call: Exchange) -> str:
    if call.answers:
        return "no answer: the wire lost it"
    if all(request.lost for request in call.tries):
        return f"no answer: the wire lost {'the request' if len(call.tries) == 1 else 'all tries'}"
    return "no answer"


def _is_late(call: Exchange) -> bool:
    other = call.overtaken
    return other is not None and bool(call.came) and call.came[0].segment.number > other.tries[0].segment.number


def _other(call: Exchange) -> str:
    words = call.tries[0].words
    return words if len(words) <= 40 else f"{words[:39]}…"


def _double(count: int) -> str:
    return "a double answer" if count == 1 else f"{count:,} double answers"


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count:,} times"


def _details(call: Exchange, start: int) -> list[Row]:
    """Each datagram of a call, in order."""
    crossed = sorted((*call.tries, *call.answers), key=lambda each: each.segment.number)
    answered, tried = 0, 0
    rows = []
    for each in crossed:
        if each.segment.direction is Direction.TO_SERVER:
            tried += 1
            what = f"try {tried}" if len(call.tries) > 1 else "request"
        else:
            answered += not each.lost
            what = "double answer" if answered > 1 and not each.lost else "answer"
        rows.append(_crossed(each, what, start))
    return rows


def _crossed(each: Datagram, what: str, start: int) -> Row:
    segment = each.segment
    fate = f", {segment.words}" if segment.words else ""
    words = each.words[:_MOST_WORDS]
    text = f"{segment.direction.value} {since(segment.time_ns - start)}  {what}: {words}{fate}"
    wrong = each.lost or what == "double answer"
    return Row(text, segment.number, tone=Tone.WRONG if wrong else Tone.PLAIN)


def _note(calls: Sequence[Exchange], seen: SeenFlow) -> str:
    """The calls in figures."""
    asked = [call for call in calls if call.tries]
    silent = sum(not call.came for call in asked)
    parts = [f"{len(asked):,} {'call' if len(asked) == 1 else 'calls'}"]
    parts += [f"{silent:,} without an answer"] if silent else []
    parts += _counted(len(call.tries) > 1 for call in asked)
    trips = sorted(call.round_trip for call in asked if call.round_trip is not None)
    if len(trips) > 1:
        parts.append(f"round trip {span(trips[0])} to {span(trips[-1])}, median {span(round(median(trips)))}")
    shown = f" The first {MOST_CALLS:,} are shown." if len(calls) > MOST_CALLS else ""
    return f"{', '.join(parts)}.{shown} {seen.left_out}".strip()


def _counted(retried: Iterable[bool]) -> list[str]:
    count = sum(retried)
    return [f"{count:,} asked again"] if count else []
