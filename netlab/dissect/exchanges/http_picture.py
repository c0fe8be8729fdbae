"""HTTP/1 as a picture: each request with its answer, and how long it took; unfolded, what both are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from netlab.capture.model import Direction, Kind, Segment
from netlab.dissect.exchanges.body_rows import size_in_words
from netlab.dissect.exchanges.exchange_rows import escaping_rows, message_rows, places_of, time_rows
from netlab.dissect.exchanges.exchange_times import times
from netlab.dissect.exchanges.http_exchanges import HttpExchange, HttpExchanges, Sent, exchanges_of
from netlab.dissect.exchanges.whole_body import body_of
from netlab.dissect.fields import Field
from netlab.dissect.framed.framed_flow import count_bytes
from netlab.dissect.http.values import count
from netlab.dissect.picture import MOST_ROWS, Message, Picture, Row, SeenFlow, Tone

MOST_EXCHANGES = 500
_MOST_AFTER = 200
_MOST_ENDS = 4
_NARROW = 80
_LEAST = 12
"""Columns that the request keeps beside the times, and what came of it."""
_MARGIN = len(" ") + len("  ") + len("   ")
More = Callable[[HttpExchange, int], Iterable[Row]]
"""What a topic adds to an exchange, for so many columns."""


def draw(seen: SeenFlow, width: int) -> Picture | None:
    """The exchanges of a connection; None if nothing of HTTP crossed."""
    return draw_exchanges(seen, width, lambda exchange, columns: ())


def draw_exchanges(seen: SeenFlow, width: int, more: More) -> Picture | None:
    """The same, with what a topic adds to each exchange."""
    found = exchanges_of(seen)
    exchanges = [each for each in found.all if isinstance(each, HttpExchange)]
    if not exchanges:
        return None
    drawing = _Drawing(seen, width, more)
    drawn = found.all[:MOST_EXCHANGES]
    last = [*_after(found), *drawing.ends()]
    drawing.left = MOST_ROWS - len(drawn) - _rows_in(tuple(last))
    rows = [drawing.row(each) for each in drawn]
    hidden = len(found.all) - MOST_EXCHANGES
    said = [seen.left_out]
    said += [f"Answers before segment {found.gap} are missing, so others may be paired wrongly."] if found.gap else []
    said += [f"The first {MOST_EXCHANGES} of {len(found.all):,} are drawn."] if hidden > 0 else []
    said += [f"The details of the last {drawing.bare:,} are left out."] if drawing.bare else []
    return Picture(f"HTTP/1: {count(exchanges, 'exchange')}", (*rows, *last), " ".join(filter(None, said)))


def _rows_in(rows: tuple[Row, ...]) -> int:
    return len(rows) + sum(_rows_in(row.details) for row in rows)


def _after(found: HttpExchanges) -> Iterator[Row]:
    """What follows an upgrade, in one row."""
    upgrade = found.upgrade
    if upgrade is None or not found.after:
        return
    name = (upgrade.response.header("upgrade") if upgrade.response is not None else "") or "another protocol"
    rows = [Row(f"{each.direction.value} {each.summary}", each.first) for each in found.after[:_MOST_AFTER]]
    if (more := len(found.after) - _MOST_AFTER) > 0:
        rows.append(Row(f"… {more:,} more messages", tone=Tone.QUIET))
    yield Row(f"then {name}: {count(found.after, 'message')}", found.after[0].first, tuple(rows))


class _What(NamedTuple):
    """What was called, and what came of it; or what kind of answer it is."""

    said: str
    result: str = ""

    @property
    def whole(self) -> str:
        """All of it."""
        return f"{self.said} {self.result}".rstrip()

    def within(self, room: int) -> str:
        """As much as has room; the call is cut before its result."""
        if len(self.whole) <= room or not self.result:
            return _cut(self.whole, room)
        result = _cut(self.result, max(room - len(self.said) - 1, room // 2))
        return f"{_cut(self.said, room - len(result) - 1, 1)} {result}"


class _Drawing:
    """Draws the exchanges of one flow."""

    def __init__(self, seen: SeenFlow, width: int, more: More) -> None:
        self._width, self._more = width, more
        self._places = {way: places_of(seen.segments, way) for way in Direction}
        self._ended = [each for each in seen.segments if each.kind in (Kind.FIN, Kind.RESET)]
        self.left = MOST_ROWS
        self.bare = 0  # exchanges for whose details there was no room

    def row(self, each: HttpExchange | Message) -> Row:
        """An exchange, or bytes that are none."""
        if isinstance(each, Message):
            text = f"{each.direction.value} {count_bytes(len(each.data))} not of HTTP: {each.field.value}"
            return Row(text, each.first, tone=Tone.WRONG)
        first = each.request or each.response
        asked, status, what, tone = self._head(each)
        taken = times(each, short=self._width < _NARROW)
        room = self._width - len(taken) - _MARGIN
        before = f"{_cut(asked, room - len(status) - _LEAST)} {status}".rstrip()
        shown, said = f"{before}  {what.within(room - len(before))}", f"{asked} {status}".rstrip() + f"  {what.whole}"
        details = self._bounded(each, said if shown != said else "")
        text = f"{shown}   {taken}" if taken else shown
        return Row(text, first.message.first if first is not None else 0, details, tone)

    def _bounded(self, exchange: HttpExchange, said: str) -> tuple[Row, ...]:
        """The details, if there is room for them and was for those before; ``said`` is the row if that is shortened."""
        details = tuple(islice(self._details(exchange, said), self.left + 1)) if not self.bare else ()
        size = _rows_in(details)
        if self.bare or size > self.left:
            self.bare += 1
            return ()
        self.left -= size
        return details

    def _head(self, exchange: HttpExchange) -> tuple[str, str, _What, Tone]:
        """Method, target and status; what was asked and answered; how it went."""
        request, response = exchange.request, exchange.response
        asked = request.message.field.value if request is not None else "(no request)"
        if response is None:
            words, tone = self._without_answer(exchange)
            return asked, "", _What(words), tone
        status = response.says("status line", "status") or "…"
        if response.status != 200:
            status = f"{status} {response.says('status line', 'reason')}".rstrip()
        what, fault = _in_words(exchange, response)
        bad = response.status >= 400 or fault or request is None
        if not (response.whole or self._complete(response)):
            what = _What(f"not whole{self._because()}; {what.said}", what.result)
            bad = bad or bool(self._ended)
        return asked, status, what, Tone.WRONG if bad else Tone.PLAIN

    def _complete(self, response: Sent) -> bool:
        """Whether a response that lasts until the connection's end is whole: that end has come."""
        closed = any(each.direction is Direction.TO_CLIENT and each.kind is Kind.FIN for each in self._ended)
        return closed and response.headed and not response.counted

    def _without_answer(self, exchange: HttpExchange) -> tuple[str, Tone]:
        request = exchange.request
        tone = Tone.WRONG if self._ended else Tone.QUIET
        if request is not None and not request.whole:
            return f"the request is not whole{self._because()}", tone
        if exchange.missed:
            return "its answer is not in the capture", Tone.QUIET
        return f"no answer{self._because()}", tone

    def _because(self) -> str:
        """Why nothing more comes: the end of the connection that says most; or that more may come."""
        return f": {_end_in_words(min(self._ended, key=_order))}" if self._ended else " yet"

    def ends(self) -> Iterator[Row]:
        """How the connection ended."""
        for each in self._ended[:_MOST_ENDS]:
            tone = Tone.WRONG if each.kind is Kind.RESET else Tone.QUIET
            yield Row(f"{each.direction.value} {_end_in_words(each)}", each.number, tone=tone)

    def _details(self, exchange: HttpExchange, said: str) -> Iterator[Row]:
        if said:
            yield Row(said)
        yield from time_rows(exchange)
        yield from escaping_rows(exchange)
        yield from self._more(exchange, self._width)
        for sent in (exchange.request, *exchange.interim, exchange.response):
            if sent is not None:
                yield from message_rows(sent, self._places[sent.message.direction])


def _cut(text: str, room: int, least: int = _LEAST) -> str:
    room = max(room, least)
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _order(end: Segment) -> tuple[bool, bool]:
    """A reset says more than an end, the server's end more than the client's."""
    return end.kind is not Kind.RESET, end.direction is not Direction.TO_CLIENT


def _end_in_words(end: Segment) -> str:
    if end.direction is Direction.TO_CLIENT:
        return "the server reset the connection" if end.kind is Kind.RESET else "the server closed the connection"
    return "the client reset the connection" if end.kind is Kind.RESET else "the client closed its side"


def _in_words(exchange: HttpExchange, response: Sent) -> tuple[_What, bool]:
    """What was called and what came of it, or what kind of answer it is; and whether it is a fault."""
    called = _call(exchange.request) if exchange.request is not None else None
    result = _call(response)
    if result is None:
        return _What(_answer(exchange, response)), False
    fault = any(child.kind == "fault" for child in result.children)
    said = f"→ {result.value}" if fault else result.value
    return (_What(called.value, said) if called is not None else _What(said)), fault


def _call(sent: Sent) -> Field | None:
    body = body_of(sent)
    return body.call if body is not None else None


def _answer(exchange: HttpExchange, response: Sent) -> str:
    """What kind of answer it is: where it leads, or the type and size of its body."""
    if exchange.upgrades:
        return f"from here on {response.header('upgrade') or 'another protocol'}"
    if 300 <= response.status < 400 and (location := response.header("location")):
        return f"to {location}"
    if words := size_in_words(response):
        return words
    head = exchange.request is not None and exchange.request.method == "HEAD"
    return "no body, as HEAD asks" if head else "no body"
