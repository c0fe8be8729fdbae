"""What an exchange is made of, as rows: start lines, headers and bodies, each with the segment that brought it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netlab.capture.model import Direction, Segment
from netlab.dissect.exchanges.body_rows import body_row
from netlab.dissect.exchanges.escaping import repeated
from netlab.dissect.exchanges.exchange_times import times_in_full
from netlab.dissect.exchanges.http_exchanges import HttpExchange, Sent
from netlab.dissect.fields import Field
from netlab.dissect.picture import Message, Row, Tone

_MOST_HEADERS = 60
_START = ("request line", "status line", "start line")
_IN_OTHER_ROWS = ("body", "blank line")


@dataclass(frozen=True, slots=True)
class Places:
    """Which segment brought a byte of one direction's stream."""

    offsets: list[int]
    numbers: list[int]

    def segment(self, message: Message, at: int) -> int:
        """The segment that brought the byte ``at`` of a message."""
        index = bisect_right(self.offsets, message.start + at) - 1
        number = self.numbers[index] if index >= 0 else message.first
        return min(max(number, message.first), message.last)


def places_of(segments: Sequence[Segment], direction: Direction) -> Places:
    """The places of the segments of a direction that went on."""
    found = sorted(
        (each.offset, each.number)
        for each in segments
        if each.direction is direction and each.length and each.dropped is None
    )
    return Places([offset for offset, _ in found], [number for _, number in found])


def time_rows(exchange: HttpExchange) -> Iterator[Row]:
    """How the time was spent."""
    if words := times_in_full(exchange):
        yield Row(words, tone=Tone.QUIET)


def escaping_rows(exchange: HttpExchange) -> Iterator[Row]:
    """What the page makes of tags in what was sent."""
    for parameter, escaped in repeated(exchange):
        segment = exchange.response.message.first if exchange.response is not None else 0
        if escaped:
            yield Row(f"{parameter.name[:60]} is escaped in the page: a browser shows it", segment, tone=Tone.GOOD)
        else:
            yield Row(
                f"{parameter.name[:60]} is in the page as it was sent: a browser runs it", segment, tone=Tone.WRONG
            )


def message_rows(sent: Sent, places: Places) -> Iterator[Row]:
    """Start line, headers and body of a message."""
    message, arrow = sent.message, sent.message.direction.value
    for part in message.field.children:
        segment = places.segment(message, part.start)
        if part.name in _START:
            yield Row(f"{arrow} {part.value}", segment, tuple(_query(part, segment)))
        elif part.name == "headers":
            names = ", ".join(each.name for each in part.children)
            yield Row(f"{arrow} {part.value}: {names}", segment, tuple(_headers(message, part, places)))
        elif part.name not in _IN_OTHER_ROWS:
            yield Row(f"{arrow} {part.name}: {part.value}", segment, tone=Tone.WRONG)
    if (row := body_row(sent, lambda at: places.segment(message, at))) is not None:
        yield row


def _query(line: Field, segment: int) -> Iterator[Row]:
    """The parameters of a request's query."""
    for part in line.children:
        for each in part.children:
            yield Row(f"{each.name} = {each.value}", segment)


def _headers(message: Message, headers: Field, places: Places) -> Iterator[Row]:
    for each in headers.children[:_MOST_HEADERS]:
        yield Row(f"{each.name}: {each.value}", places.segment(message, each.start))
    if (more := len(headers.children) - _MOST_HEADERS) > 0:
        yield Row(f"… {more} more headers", tone=Tone.QUIET)
