"""Messages with their length in front, of which nothing else is known: which kind of length fits, and what it makes."""

from __future__ import annotations

from typing import Literal, NamedTuple

from netlab.dissect.field_reader import FieldReader
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import MOST_OPENING, Run
from netlab.dissect.framed.framed_flow import FramedFlow, FramedMessage, NoMessage, count_bytes

LONGEST = 1 << 20
"""A length above is taken for no length."""
LONGEST_SHORT = 0x1FFF
"""Where the format is not known: a length in two bytes above this could be text."""
_SHOWN = 60


class Format(NamedTuple):
    """A kind of length."""

    size: int
    order: Literal["big", "little"]

    @property
    def words(self) -> str:
        """As it is named in a field."""
        return f"u{8 * self.size}, {self.order}-endian"

    def length(self, data: memoryview, at: int) -> int:
        """The length that stands there."""
        return int.from_bytes(data[at : at + self.size], self.order)


FORMATS = (Format(4, "big"), Format(2, "big"), Format(4, "little"), Format(2, "little"))


class Fit(NamedTuple):
    """How many whole messages some bytes are, and whether they end with the last."""

    messages: int
    whole: bool


def fit(data: memoryview, form: Format) -> Fit | None:
    """How some bytes fit a format; None if they do not.

    Messages without content fit none: zeros would be such. Nor do long ones in front of which stand two bytes: text
    would be such.
    """
    longest = LONGEST if form.size > 2 else LONGEST_SHORT
    at, messages = 0, 0
    while at + form.size <= len(data):
        length = form.length(data, at)
        if not 0 < length <= longest:
            return None
        if at + form.size + length > len(data):
            return Fit(messages, False)
        at, messages = at + form.size + length, messages + 1
    return Fit(messages, at == len(data))


def best_format(data: memoryview) -> Format | None:
    """The format whose messages the bytes are; else, of many bytes, the one that has found the most."""
    found = [(form, how) for form in FORMATS if (how := fit(data[:MOST_OPENING], form)) is not None]
    exact = [form for form, how in found if how.whole and how.messages]
    if exact:
        return exact[0]
    if len(data) < MOST_OPENING or not found:
        return None
    return max(found, key=lambda each: each[1].messages)[0]


class PrefixedFlow(FramedFlow):
    """One flow. Both directions have the same kind of length."""

    def __init__(self) -> None:
        super().__init__()
        self._format: Format | None = None

    def feed(self, run: Run) -> Dissection:
        """The messages in these bytes, once it shows what kind of length they have."""
        if self._format is None:
            self._format = best_format(run.data)
        if self._format is None:
            raw = FieldReader(run.data).rest("bytes")
            undecided = len(run.data) < MOST_OPENING
            return Dissection((raw,) if len(run.data) else (), taken=0 if undecided else None)
        return super().feed(run)

    def read(self, reader: FieldReader, run: Run) -> FramedMessage:
        """The next message."""
        form, start = self._format, reader.at
        if form is None:
            raise NoMessage("it does not show what kind of length the messages have")
        body = reader.skip(form.size) + form.size
        length = form.length(reader.data, start)
        if length > LONGEST:
            raise NoMessage(f"a message of {count_bytes(length)} is not expected here")
        reader.skip(length)
        shown = _shown(reader.data[body : body + length])
        children = [Field("length", start, body, form.words, f"{length:,}")]
        if length:
            children.append(Field("content", body, body + length, "bytes", shown))
        return FramedMessage(Field("message", start, body + length, "message", shown, tuple(children)), shown)


def _shown(content: memoryview) -> str:
    """A message's beginning, as text if it is some, else in hex."""
    head = bytes(content[: 2 * _SHOWN])
    text = head.decode("utf-8", "replace")
    if sum(1 for c in text if c == "\ufffd" or (not c.isprintable() and c not in "\r\n\t")) * 4 > len(text):
        return f"{count_bytes(len(content))}: {head[:16].hex(' ')}" + ("…" if len(content) > 16 else "")
    return text[:_SHOWN] + (f"… ({count_bytes(len(content))})" if len(text) > _SHOWN else "") if text else "(empty)"
