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
MOST_MESSAGES = 2000
"""Messages that are read of one run; those after them are read with the next bytes."""
LONGEST_AFTER_A_GAP = 1 << 16
"""Where bytes are missing, a message that would be longer is taken for a misreading."""
SUMMARISED = 3


class NoMessage(Exception):
    """No message of this protocol can be here; the text says why."""


class Message(NamedTuple):
    """A message, and what of it stands in the wire list."""

    field: Field
    summary: str
    minor: bool = False
    """Whether it goes without saying where there are more messages than a line has room for."""


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
    def read(self, reader: FieldReader, run: Run) -> Message:
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
        reader, messages = FieldReader(run.data), list[Message]()
        if self._left[run.direction] and reader.left:
            messages.append(self._part(reader, run))
        while reader.left and len(messages) < MOST_MESSAGES and not self.over(run.direction):
            start = reader.at
            try:
                messages.append(self.read(reader, run))
            except Short as short:
                reader.at = start
                if (waiting := self._wait(reader, run, short.missing, messages)) is not None:
                    return waiting
            except NoMessage as problem:
                reader.at = start
                return self._raw(reader, run, str(problem), messages)
            self._gaps.discard(run.direction)
        taken = reader.at
        rest = (reader.rest("rest", value=f"{count_bytes(reader.left)}, read later"),) if reader.left else ()
        return Dissection((*_fields(messages), *rest), _summary(messages), taken=taken)

    def _skip(self, run: Run) -> None:
        left = self._left[run.direction]
        self._left[run.direction] = max(left - run.lost, 0)
        if left < run.lost:
            self.miss(run.direction)

    def _wait(self, reader: FieldReader, run: Run, missing: int, messages: list[Message]) -> Dissection | None:
        """Wait for a message's end; or pass by a long one (None)."""
        start, length, name = reader.at, reader.left + missing, self.begun(reader, run)
        reader.at = start
        if run.direction in self._gaps and length > LONGEST_AFTER_A_GAP:
            return self._raw(reader, run, "", messages)
        if length > LONG:
            self.pass_by(reader, run, length)
            reader.at = start
            self._passed[run.direction] = name
            messages.append(self._part(reader, run))
            return None
        words = self.waits_for(missing)
        waiting = Message(reader.rest(name, value=words), f"{name} … {words}")
        together = [*messages, waiting]
        return Dissection(_fields(together), _summary(together), missing, taken=start)

    def _part(self, reader: FieldReader, run: Run) -> Message:
        """What is here of a message that is passed by."""
        name = f"part of a {self._passed[run.direction]}"
        here = min(self._left[run.direction], reader.left)
        left = self._left[run.direction] = self._left[run.direction] - here
        start = reader.skip(here)
        words = count_bytes(here) + (f", {left:,} more follow" if left else ", the last")
        return Message(Field(name, start, reader.at, "bytes", words), f"{name}: {words}")

    def _raw(self, reader: FieldReader, run: Run, problem: str, messages: list[Message]) -> Dissection:
        if run.direction in self._gaps and not messages:
            problem = "these bytes lie within a message whose beginning is missing"
        self.miss(run.direction)
        together = [*messages, Message(reader.rest("bytes"), "")]
        return Dissection(_fields(together), _summary(together), problem=problem)


def _fields(messages: list[Message]) -> tuple[Field, ...]:
    return tuple(message.field for message in messages)


def _summary(messages: list[Message]) -> str:
    """The first messages in a line, those that matter before the others, and how many more there are."""
    said = [message for message in messages if message.summary]
    if len(said) > SUMMARISED:
        said = [each for each in said if not each.minor] or said
    count = sum(1 for message in messages if message.summary)
    shown = [message.summary for message in said[:SUMMARISED]]
    return " · ".join([*shown, *([f"{count - len(shown)} more"] if count > len(shown) else [])])


def count_bytes(number: int) -> str:
    """``1 byte``, ``2,000 bytes``."""
    return f"{number:,} byte{'' if number == 1 else 's'}"
