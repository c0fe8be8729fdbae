"""A flow of messages one after another, each of which shows where it ends.

It knows when to wait, how a message too long to wait for is passed by, and what to do where bytes are missing; what a
message is, its subclasses know.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from netlab.capture.model import Direction, Transport
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import MOST_WAITING, Run

LONG = MOST_WAITING // 2
"""A message of more bytes is passed by part by part, as it comes."""
MOST_LISTED = 2000
"""Messages of one run that are listed; those after them are read and counted …"""
MOST_READ = 50_000
"""… and after so many, left for the next run."""
LONGEST_AFTER_A_GAP = 1 << 16
"""Where bytes are missing, a message that would be longer is taken for a misreading."""
SUMMARISED = 3


class NoMessage(Exception):
    """No message of this protocol can be here; the text says why."""


class FramedMessage(NamedTuple):
    """A message, and what of it stands in the wire list."""

    field: Field
    summary: str
    minor: bool = False
    """Whether it goes without saying where there are more messages than a line has room for."""


class _Found:
    """The messages of one run: the first ones, and how many more."""

    def __init__(self) -> None:
        self.listed: list[FramedMessage] = []
        self.count = 0

    def add(self, message: FramedMessage) -> None:
        """A further message, which lies behind the others."""
        self.count += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(message)
            return
        last, end = self.listed[-1].field, message.field.end
        more = self.count - MOST_LISTED + 1
        self.listed[-1] = FramedMessage(Field("more messages", last.start, end, "bytes", f"{more:,} messages"), "")

    def fields(self, *after: Field) -> tuple[Field, ...]:
        """Their fields, and those after them."""
        return (*(message.field for message in self.listed), *after)

    def summary(self, after: str = "") -> str:
        """The first messages in a line, those that matter before the others, and how many more there are."""
        said = [message for message in self.listed if message.summary]
        count = len(said) + (self.count - MOST_LISTED + 1 if self.count > MOST_LISTED else 0)
        if len(said) > SUMMARISED:
            said = [each for each in said if not each.minor] or said
        shown = [message.summary for message in said[:SUMMARISED]]
        if after and len(shown) < SUMMARISED:
            shown.append(after)
        more = count + bool(after) - len(shown)
        return " · ".join([*shown, *([f"{more:,} more"] if more > 0 else [])])


class FramedFlow(ABC):
    """One flow. A subclass changes its memory only in a `read` that returns."""

    def __init__(self) -> None:
        self._left = dict.fromkeys(Direction, 0)
        """What is still to come of a message that is passed by …"""
        self._passed = dict.fromkeys(Direction, "")
        """… and its name."""
        self._gaps: set[Direction] = set()
        """Directions that may stand within a message."""

    @abstractmethod
    def read(self, reader: FieldReader, run: Run) -> FramedMessage:
        """The message at the reader's place. Raises `Short` if it is not complete, `NoMessage` if it is none."""

    def begun(self, reader: FieldReader, run: Run) -> str:
        """The name of a message whose end has not come."""
        return "message"

    def waits_for(self, missing: int) -> str:
        """What a message waits for, in words."""
        return f"waits for {count_bytes(missing)}"

    def pass_by(self, reader: FieldReader, run: Run, length: int) -> None:
        """A message of so many bytes begins here that is passed by: change the memory as reading it would."""
        self._left[run.direction] = length

    def miss(self, direction: Direction) -> None:
        """Bytes of a direction are missing: forget what depends on them."""
        self._gaps.add(direction)

    def over(self, direction: Direction) -> bool:
        """Whether the flow speaks another protocol from here on; what is left of the run is given again."""
        return False

    def in_a_gap(self, direction: Direction) -> bool:
        """Whether bytes are missing, and no message has been found since."""
        return direction in self._gaps

    def feed(self, run: Run) -> Dissection:
        """The messages in these bytes; the last one may not be complete yet."""
        if run.transport is Transport.UDP:
            self._gaps.clear()
        elif run.lost:
            self._skip(run)
        reader, found = FieldReader(run.data), _Found()
        if self._left[run.direction] and reader.left:
            found.add(self._part(reader, run))
        while reader.left and found.count < MOST_READ and not self.over(run.direction):
            start = reader.at
            try:
                found.add(self.read(reader, run))
            except Short as short:
                reader.at = start
                if (waiting := self._wait(reader, run, short.missing, found)) is not None:
                    return waiting
            except NoMessage as problem:
                reader.at = start
                return self._raw(reader, run, str(problem), found)
            self._gaps.discard(run.direction)
        taken = reader.at
        rest = (reader.rest("rest", value=f"{count_bytes(reader.left)}, read later"),) if reader.left else ()
        return Dissection(found.fields(*rest), found.summary(), taken=taken)

    def _skip(self, run: Run) -> None:
        left = self._left[run.direction]
        self._left[run.direction] = max(left - run.lost, 0)
        if left < run.lost:
            self.miss(run.direction)

    def _wait(self, reader: FieldReader, run: Run, missing: int, found: _Found) -> Dissection | None:
        """Wait for a message's end; or pass by a long one (None)."""
        start, length, name = reader.at, reader.left + missing, self.begun(reader, run)
        reader.at = start
        if run.direction in self._gaps and length > LONGEST_AFTER_A_GAP:
            return self._raw(reader, run, "", found)
        if length > LONG:
            self.pass_by(reader, run, length)
            reader.at = start
            self._passed[run.direction] = name
            found.add(self._part(reader, run))
            return None
        words = self.waits_for(missing)
        fields = found.fields(reader.rest(name, value=words))
        return Dissection(fields, found.summary(f"{name} … {words}"), missing, taken=start)

    def _part(self, reader: FieldReader, run: Run) -> FramedMessage:
        """What is here of a message that is passed by."""
        name = f"part of a {self._passed[run.direction]}"
        here = min(self._left[run.direction], reader.left)
        left = self._left[run.direction] = self._left[run.direction] - here
        start = reader.skip(here)
        words = count_bytes(here) + (f", {left:,} more follow" if left else ", the last")
        return FramedMessage(Field(name, start, reader.at, "bytes", words), f"{name}: {words}")

    def _raw(self, reader: FieldReader, run: Run, problem: str, found: _Found) -> Dissection:
        if run.direction in self._gaps and not found.count:
            problem = "these bytes lie within a message whose beginning is missing"
        self.miss(run.direction)
        return Dissection(found.fields(reader.rest("bytes")), found.summary(), problem=problem)


def count_bytes(number: int) -> str:
    """``1 byte``, ``2,000 bytes``."""
    return f"{number:,} byte{'' if number == 1 else 's'}"
