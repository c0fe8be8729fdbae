"""What multiprocessing.connection sends: the messages of the handshake, then pickles. Nothing is loaded.

Before Python 3.12 a challenge was 20 bytes and the digest a bare HMAC-MD5; since then a challenge begins with the
digest's name in braces, and so does the answer to it. With an older Python on either side the answer is bare
(Lib/multiprocessing/connection.py, "Authentication Handshake Protocol Description").
"""

from __future__ import annotations

from dataclasses import replace

from netlab.capture.model import Direction
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import MOST_WAITING, Run, moved
from netlab.dissect.length_prefix import Frame, NoLength, read_frame
from netlab.dissect.pickles.pickled import MOST_OPCODES, read_pickle

MOST_MESSAGES = 1000
LONG = MOST_WAITING // 2
"""A message of more bytes is not waited for: its beginning is read, and the rest is skipped as it comes."""
CHALLENGE = b"#CHALLENGE#"
VERDICTS = {b"#WELCOME#": "welcome", b"#FAILURE#": "failure"}
DIGEST_LENGTHS = {"md5": 16, "sha256": 32, "sha384": 48, "sha3_256": 32, "sha3_384": 48}
MD5_LENGTH = 16
HANDSHAKE = 128
"""Bytes of a stream within which a bare digest can stand. After them, 16 bytes are a message like any other."""


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """The messages of one direction; at an ``offset`` only if one seems to begin there."""
    return _read_messages(data, offset, begins=not offset)


class PicklesFlow:
    """One connection: a message begins where the one before it ended, and a long one is not waited for."""

    def __init__(self) -> None:
        self._left = dict.fromkeys(Direction, 0)
        """Bytes that are still to come of a long message."""

    def feed(self, run: Run) -> Dissection:
        """The messages in a run of bytes. An incomplete one comes again."""
        if run.lost:
            self._left[run.direction] = 0
        if left := self._left[run.direction]:
            return self._read_on(run, left)
        found = _read_messages(run.data, run.offset, begins=not run.lost)
        if found.needs and found.fields[-1].end - found.fields[-1].start + found.needs > LONG:
            self._left[run.direction] = found.needs
            return replace(found, needs=0, taken=len(run.data))
        return found

    def _read_on(self, run: Run, left: int) -> Dissection:
        """A part of a long message, and what follows it."""
        here = min(left, len(run.data))
        self._left[run.direction] = left - here
        more = f", {left - here:,} more follow" if left > here else ""
        part = Field("part of a message", 0, here, "bytes", f"{here:,} bytes{more}")
        if here == len(run.data):
            return Dissection((part,), f"{part.name}: {part.value}")
        rest = self.feed(Run(run.data[here:], run.direction, run.offset + here))
        fields = (part, *moved(rest.fields, here))
        return replace(rest, fields=fields, taken=here + rest.done(len(run.data) - here))


def _read_messages(data: memoryview, offset: int, begins: bool) -> Dissection:
    """The messages in some bytes; ``begins``: one surely begins with the first."""
    if data and not begins and not _message_begins(data):
        raw = FieldReader(data).rest("raw")
        return Dissection((raw,), "part of a message", problem="these bytes begin within a message: follow the stream")
    messages: list[Field] = []
    at, budget, needs, problem = 0, MOST_OPCODES, 0, ""
    while at < len(data) and not needs:
        if len(messages) == MOST_MESSAGES:
            problem = f"only the first {MOST_MESSAGES:,} messages are read"
            messages.append(FieldReader(data, at).rest("rest"))
            return Dissection(tuple(messages), _summary(messages[:-1]), problem=problem, taken=at)
        try:
            frame = read_frame(data, at)
        except Short as short:
            messages.append(Field("length", at, len(data), "i32", f"waits for {short.missing} bytes"))
            return Dissection(tuple(messages), _summary(messages), short.missing)
        except NoLength as error:
            messages.append(FieldReader(data, at).rest("raw"))
            problem = str(error)
            break
        message = _message(data, frame, offset, budget)
        budget -= sum(len(part.children) for part in message.children)
        messages.append(message)
        needs = max(0, frame.end - len(data))
        at = frame.end
    return Dissection(tuple(messages), _summary(messages), needs, problem)


def _summary(messages: list[Field]) -> str:
    shown = ", ".join(f"{message.name} {message.value}".strip() for message in messages[:4])
    return shown + (f" and {len(messages) - 4} more" if len(messages) > 4 else "")


def _message_begins(data: memoryview) -> bool:
    """Whether the first bytes look like a length and the beginning of something that is sent."""
    try:
        frame = read_frame(data, 0)
    except (Short, NoLength):
        return 0 < len(data) < 4
    begin = bytes(data[frame.body : frame.body + 2])
    return len(data) == frame.body or frame.end == len(data) or begin[:1] in (b"#", b"{") or _pickle_begins(begin)


def _pickle_begins(begin: bytes) -> bool:
    return begin[:1] == b"\x80" and begin[1:2] <= b"\x05"


def _message(data: memoryview, frame: Frame, offset: int, budget: int) -> Field:
    end = min(frame.end, len(data))
    name, value, parts = _body(FieldReader(data, frame.body, end), frame, offset, budget)
    if end < frame.end:
        value = f"{value} (waits for {frame.end - end:,} bytes)".strip()
    return Field(name, frame.start, end, "message", value, (frame.prefix(), *parts))


Body = tuple[str, str, tuple[Field, ...]]


def _body(body: FieldReader, frame: Frame, offset: int, budget: int) -> Body:
    """A message's name, value and parts; recognised by its beginning, length and place."""
    begin = bytes(body.data[body.at : body.at + len(CHALLENGE)][: body.left])
    length = frame.end - frame.body
    if begin and begin == CHALLENGE[: len(begin)] and length > len(CHALLENGE):
        return _challenge(body)
    if length == 9 and begin in VERDICTS:
        return VERDICTS[begin], "", (body.rest("verdict", "text", begin.decode()),)
    name = _digest_name(begin)
    if name and length == len(name) + 2 + DIGEST_LENGTHS[name]:
        return "digest", name, _named("digest", name, body)
    if length == MD5_LENGTH and offset + frame.start < HANDSHAKE and not _pickle_begins(begin):
        return "digest", "md5, as before Python 3.12", (body.rest("digest"),)
    if _pickle_begins(begin) or _reads_as_pickle(body):
        return _pickle(body, budget)
    return "bytes", "not a pickle" if body.left else "", (body.rest("bytes"),) if body.left else ()


def _challenge(body: FieldReader) -> Body:
    shown = min(len(CHALLENGE), body.left)
    token = body.part(shown).rest("token", "text", CHALLENGE[:shown].decode())
    name = _digest_name(bytes(body.data[body.at : min(body.end, body.at + 10)]))
    if name:
        return "challenge", name, (token, *_named("challenge", name, body))
    return "challenge", "md5, as before Python 3.12", (token, body.rest("challenge"))


def _named(what: str, name: str, body: FieldReader) -> tuple[Field, Field]:
    label = body.part(len(name) + 2).rest("digest name", "text", name)
    return label, body.rest(what)


def _digest_name(begin: bytes) -> str:
    """The digest's name in braces at the beginning, if multiprocessing uses it."""
    name = begin[1:].partition(b"}")[0].decode("latin-1")
    return name if begin[:1] == b"{" and name in DIGEST_LENGTHS and b"}" in begin else ""


def _reads_as_pickle(body: FieldReader) -> bool:
    """Whether bytes without a protocol number are a pickle, as protocols 0 and 1 write it."""
    if not body.left or body.data[body.end - 1] != ord("."):
        return False
    read = read_pickle(body.data, body.at, body.end)
    return not read.problem and read.end == body.end


def _pickle(body: FieldReader, budget: int) -> Body:
    start = body.at
    read = read_pickle(body.data, start, body.end, max(budget, 0))
    parts = [Field("pickle", start, read.end, "pickle", read.reading or read.problem, read.opcodes, layer=True)]
    if read.names:
        parts.append(Field("names", start, read.end, "text", ", ".join(read.names[:20])))
    if read.end < body.end:
        body.at = read.end
        parts.append(body.rest("raw", value=read.problem or "after the pickle's end"))
    return "pickle", read.reading or read.problem, tuple(parts)
