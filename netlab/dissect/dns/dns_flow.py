"""DNS: messages in datagrams, or in a stream with a length of two bytes in front (RFC 1035)."""

from __future__ import annotations

from netlab.capture.model import Transport
from netlab.dissect.dns.dns_names import OPCODES, Names
from netlab.dissect.dns.dns_records import OPT, code_name, read_question, read_record
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.flow import Run
from netlab.dissect.framed.framed_flow import FramedFlow, FramedMessage, NoMessage

HEADER = 12
_LEAST_QUESTION, _LEAST_RECORD, _RESERVED = 5, 11, 0x40
MOST_RECORDS = 200
"""Records of a section that are listed."""
_FLAGS = {0x0400: "authoritative", 0x0200: "truncated", 0x0100: "recursion wanted", 0x0080: "recursion offered"}
_FLAGS |= {0x0020: "authentic data", 0x0010: "checking disabled"}
_SECTIONS = ("answer", "authority", "additional")
_SUMMARISED = 3


class DnsFlow(FramedFlow):
    """One client and server. Questions come again in their answers, so nothing is remembered."""

    def read(self, reader: FieldReader, run: Run) -> FramedMessage:
        """A message; what is no DNS in it stays raw."""
        if run.transport is Transport.UDP:
            return read_message(reader, ())
        start = reader.at
        length = reader.number(2)
        if length < HEADER:
            raise NoMessage(f"a DNS message has at least {HEADER} bytes")
        if not is_header(reader.data[reader.at : min(reader.at + HEADER, reader.end)], length):
            raise NoMessage("this is no DNS message")
        body = reader.part(length)
        return read_message(body, (Field("length", start, start + 2, "u16", f"{length:,}"),))

    def begun(self, reader: FieldReader, run: Run) -> str:
        """The name of a message in a stream."""
        return "DNS message"


def is_header(data: memoryview, length: int) -> bool:
    """Whether bytes can be the header of a message of that length: a known opcode, and as many records as have room."""
    if len(data) < HEADER:
        return True
    asked, *records = (int.from_bytes(data[at : at + 2], "big") for at in range(4, HEADER, 2))
    room = HEADER + _LEAST_QUESTION * asked + _LEAST_RECORD * sum(records) <= length
    return room and (data[2] >> 3 & 15) in OPCODES and not data[3] & _RESERVED


def read_message(reader: FieldReader, before: tuple[Field, ...]) -> FramedMessage:
    """The message that fills the reader. ``before``: what stands in front of it."""
    message = reader.at
    begin = before[0].start if before else message
    if reader.left < HEADER or not is_header(reader.view()[:HEADER], reader.left):
        raise NoMessage("this is no DNS message")
    number, flags, counts = reader.number(2), reader.number(2), [reader.number(2) for _ in range(4)]
    parts = [*before, *_header(message, number, flags, counts)]
    said: list[str] = []
    names, problem = Names(message), ""
    try:
        asked = _questions(reader, names, counts[0], parts)
        said = _records(reader, names, counts[1:], parts)
    except Short:
        asked, problem = asked_of(parts), "it ends too early"
    except NoMessage as error:
        asked, problem = asked_of(parts), str(error)
    end = reader.end
    at = parts[-1].end
    if at < end:
        reader.at = at
        parts.append(reader.rest("rest"))
    reader.at = end
    words = _words(flags, asked, said, counts[1]) + (f" ({problem})" if problem else "")
    name = "response" if flags & 0x8000 else "query"
    return FramedMessage(Field(name, begin, end, "DNS", words, tuple(parts)), words)


def asked_of(parts: list[Field]) -> str:
    """The first question."""
    return next((part.value for part in parts if part.name == "question"), "")


def _header(start: int, number: int, flags: int, counts: list[int]) -> list[Field]:
    names = [name for bit, name in _FLAGS.items() if flags & bit]
    kind = "response" if flags & 0x8000 else "query"
    opcode = flags >> 11 & 15
    words = [kind, *([OPCODES.get(opcode, f"opcode {opcode}")] if opcode else []), *names]
    if flags & 0x8000:
        words.append(code_name(flags & 15))
    labels = ("questions", "answers", "authorities", "additionals")
    return [
        Field("id", start, start + 2, "u16", f"0x{number:04x}"),
        Field("flags", start + 2, start + 4, "flags", ", ".join(words)),
        *(
            Field(label, start + 4 + 2 * place, start + 6 + 2 * place, "u16", str(count))
            for place, (label, count) in enumerate(zip(labels, counts, strict=True))
        ),
    ]


def _questions(reader: FieldReader, names: Names, count: int, parts: list[Field]) -> str:
    for _ in range(min(count, MOST_RECORDS)):
        question, _words = read_question(reader, names)
        parts.append(question)
    if count > MOST_RECORDS:
        raise NoMessage(f"only the first {MOST_RECORDS} questions are read")
    return asked_of(parts)


def _records(reader: FieldReader, names: Names, counts: list[int], parts: list[Field]) -> list[str]:
    """The records of all sections; the answers in words."""
    said = list[str]()
    for section, count in zip(_SECTIONS, counts, strict=True):
        for _ in range(min(count, MOST_RECORDS)):
            record, words, kind = read_record(reader, names, section)
            parts.append(record)
            if section == "answer" and kind != OPT:
                said.append(words)
        if count > MOST_RECORDS:
            raise NoMessage(f"only the first {MOST_RECORDS} records of a section are read")
    return said


def _words(flags: int, asked: str, said: list[str], answers: int) -> str:
    """``query A example.org``, ``A example.org → 192.0.2.1``, ``A example.org → no such name``."""
    opcode = flags >> 11 & 15
    what = OPCODES.get(opcode, f"opcode {opcode}") if opcode or not flags & 0x8000 else ""
    question = " ".join(part for part in (what, asked) if part)
    if not flags & 0x8000:
        return question
    code = flags & 15
    kind = asked.partition(" ")[0]
    found = [words.removeprefix(f"{kind} ") for words in said[:_SUMMARISED]]
    if answers > len(found):
        found.append(f"{answers - len(found)} more")
    answer = ", ".join(found) if found else "no records" if not code else ""
    end = [code_name(code)] * bool(code) + ["truncated: ask by TCP"] * bool(flags & 0x0200)
    return f"{question} → {', '.join([*([answer] if answer else []), *end])}".strip()
