"""HTTP/1 along a connection: which request a response answers, long bodies in parts, and what follows an upgrade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from netlab.capture.model import Direction
from netlab.dissect.documents.document import ContentReader
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import MOST_WAITING, FlowDissector, Run, moved
from netlab.dissect.http.long_body import LongBody, body_after
from netlab.dissect.http.message import HttpMessage
from netlab.dissect.http.read_http import EMPTY_LINES, MOST_MESSAGES, field_of, in_a_line, read_message
from netlab.dissect.http.values import quoted, shortened
from netlab.dissect.reading.by_content import ByContent
from netlab.dissect.reading.protocol_discovery import protocol_named

LONG = MOST_WAITING // 2
"""A message of more bytes is read part by part, as it comes."""
_MOST_ASKED = 1000
_UPGRADES = {"websocket": "websocket", "h2c": "http2"}
"""Protocols by their names in ``Upgrade``."""


@dataclass(slots=True)
class _HttpRun:
    """One run while it is read."""

    run: Run
    position: int = 0
    fields: list[Field] = field(default_factory=list)
    summaries: list[str] = field(default_factory=list)
    needs: int = 0
    problem: str = ""
    waits: bool = False

    @property
    def left(self) -> int:
        """How many bytes are not read yet."""
        return len(self.run.data) - self.position

    def raw(self, problem: str) -> None:
        """Leave what is left raw."""
        data = self.run.data[self.position :]
        self.fields.append(Field("bytes", self.position, len(self.run.data), "bytes", quoted(data)))
        self.problem, self.position = problem, len(self.run.data)


class HttpFlow:
    """One connection. ``content`` reads the bodies of its messages."""

    def __init__(self, content: ContentReader | None = None) -> None:
        self._content = content
        self._asked: list[str] = []
        self._long: dict[Direction, LongBody] = {}
        self._lost: set[Direction] = set()
        """Directions that may stand within a message: bytes are missing, or something was not understood."""
        self._after: FlowDissector | None = None
        """Reads the connection once it speaks another protocol."""

    def feed(self, run: Run) -> Dissection:
        """The messages in a run of bytes, and what else is in it."""
        if self._after is not None:
            return self._after.feed(run)
        if run.lost:
            self._lost.add(run.direction)
            self._long.pop(run.direction, None)
        reading = _HttpRun(run)
        while reading.left and not reading.waits and self._after is None:
            if len(reading.fields) >= MOST_MESSAGES:
                break
            if (body := self._long.get(run.direction)) is not None:
                self._read_on(reading, body)
            else:
                self._read_message(reading)
        return self._dissection(reading)

    def _dissection(self, reading: _HttpRun) -> Dissection:
        run, fields, summaries = reading.run, tuple(reading.fields), reading.summaries
        taken = fields[-1].start if reading.waits else reading.position
        if self._after is not None and reading.left:
            rest = self._after.feed(replace(run, data=run.data[taken:], offset=run.offset + taken, lost=0))
            more = [rest.summary] if rest.summary else []
            fields += moved(rest.fields, taken)
            taken += rest.done(reading.left)
            return replace(rest, fields=fields, summary=in_a_line([*summaries, *more]), taken=taken)
        summary = in_a_line(summaries) or shortened(run.data)
        return Dissection(fields, summary, reading.needs, reading.problem, taken=taken)

    def _read_on(self, reading: _HttpRun, body: LongBody) -> None:
        """A part of a long body."""
        start, data = reading.position, reading.run.data
        before = body.read
        end = body.read_on(data, start)
        if end > start:
            shown = f"{body.words(before)}: {quoted(data[start:end])}"
            reading.fields.append(Field("body", start, end, "bytes", shown))
            reading.summaries.append(body.words(before))
        reading.position, reading.problem = end, body.problem or reading.problem
        if body.over:
            del self._long[reading.run.direction]
            if body.problem:
                self._lost.add(reading.run.direction)
        elif end < len(data):
            reading.fields.append(Field("body", end, len(data), "bytes", "waits for the end of the line"))
            reading.waits, reading.needs = True, 1

    def _read_message(self, reading: _HttpRun) -> None:
        run, begin = reading.run, reading.position
        if run.direction is Direction.TO_SERVER and (empty := EMPTY_LINES.match(run.data, begin)):
            begin = empty.end()
            words = "ignored before a request line"
            reading.fields.append(Field("empty line", reading.position, begin, "text", words))
            reading.position = begin
            if not reading.left:
                return
        answers = self._asked[0] if self._asked and run.direction is Direction.TO_CLIENT else None
        known = run.direction not in self._lost
        message = read_message(run.data, begin, self._content, known, answers, brief=run.brief)
        if message is None:
            self._lost.add(run.direction)
            reading.raw(self._why_raw(reading, known))
        else:
            self._lost.discard(run.direction)
            self._take(reading, message)

    @staticmethod
    def _why_raw(reading: _HttpRun, known: bool) -> str:
        if reading.fields:
            return "what follows the message is not HTTP"
        return "this is not HTTP/1" if known else "these bytes lie within a message whose beginning is missing"

    def _take(self, reading: _HttpRun, message: HttpMessage) -> None:
        """Take a message, or the head of a long one, or wait for the rest of it."""
        end = len(reading.run.data)
        if not message.whole and not message.problem and max(end - message.start + message.needs, 0) > LONG:
            long = body_after(message)
            if long is not None and message.head_end is not None:
                self._long[reading.run.direction] = long
                self._follow(message)
                head = tuple(part for part in message.fields if part.end <= message.head_end)
                kind = "response" if message.status else "request"
                reading.fields.append(Field(kind, message.start, message.head_end, "http", message.title, head))
                reading.summaries.append(message.title)
                reading.position = message.head_end
                return
        reading.fields.append(field_of(message))
        reading.summaries.append(message.summary)
        reading.problem = message.problem
        if message.whole:
            reading.position = message.position
            self._follow(message)
        elif message.problem:
            reading.position = end
            self._lost.add(reading.run.direction)
            self._follow(message)
        else:
            reading.position, reading.waits, reading.needs = message.start, True, message.needs

    def _follow(self, message: HttpMessage) -> None:
        """Remember what a message means for those that follow."""
        if not message.status:
            if len(self._asked) < _MOST_ASKED:
                self._asked.append(message.title.partition(" ")[0])
            return
        if message.status == 101:
            name = (message.values("upgrade")[:1] or [""])[0].lower()
            protocol = protocol_named(_UPGRADES.get(name, ""))
            self._after = protocol.make() if protocol is not None else ByContent()
        elif message.answers == "CONNECT" and 200 <= message.status < 300:
            self._after = ByContent()
        if self._asked and not 100 <= message.status < 200:
            del self._asked[0]


def http_flow(content: ContentReader | None = None) -> Callable[[], FlowDissector]:
    """``make`` of HTTP, whose bodies ``content`` reads."""
    return lambda: HttpFlow(content)
