"""What the time server's datagrams carry: requests and answers, with the number that ties them together."""

from __future__ import annotations

import re

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection, Field

_REQUEST = re.compile(rb"(time) (\d{1,20})\s*")
_ANSWER = re.compile(rb"(?:(\d{1,20}) )?([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})")
_BEGUN = re.compile(rb"(\d{1,20}) ([A-Z][A-Za-z0-9: ]{0,22})")
LENGTH = 24
"""Characters of the time in an answer."""
LONGEST_VALUE = 200


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """One datagram: a numbered request, an answer with or without a number, or anything else as text or bytes."""
    datagram = bytes(data[:65536])
    if direction is Direction.TO_SERVER:
        return _request(datagram)
    found = _ANSWER.fullmatch(datagram)
    if found is None and (begun := _BEGUN.fullmatch(datagram)):
        return _cut(begun)
    if found is None:
        return Dissection(_payload("payload", datagram), f"answer: {_shown(datagram)}")
    number = [Field("request", *found.span(1), "text", found[1].decode())] if found[1] else []
    moment = Field("time", *found.span(2), "text", found[2].decode())
    words = f"answer {number[0].value}: " if number else "answer: "
    return Dissection((*number, moment), words + moment.value)


def _cut(begun: re.Match[bytes]) -> Dissection:
    """An answer that lost its end: nothing more of a datagram comes, so it waits for nothing."""
    number = Field("request", *begun.span(1), "text", begun[1].decode())
    moment = Field("time", *begun.span(2), "text", f"{begun[2].decode()}… cut off, {len(begun[2])} of {LENGTH} bytes")
    return Dissection((number, moment), f"answer {number.value}: {moment.value}")


def _request(datagram: bytes) -> Dissection:
    found = _REQUEST.fullmatch(datagram)
    if found is None:
        return Dissection(_payload("payload", datagram), f"request without a number: {_shown(datagram)}")
    word = Field("word", *found.span(1), "text", "time")
    number = Field("request", *found.span(2), "text", found[2].decode())
    return Dissection((word, number), f"request {number.value}")


def _payload(name: str, datagram: bytes) -> tuple[Field, ...]:
    return (Field(name, 0, len(datagram), _kind(datagram), _shown(datagram)),) if datagram else ()


def _kind(datagram: bytes) -> str:
    try:
        text = datagram.decode()
    except UnicodeDecodeError:
        return "bytes"
    return "text" if text.strip().isprintable() else "bytes"


def _shown(datagram: bytes) -> str:
    """Text as Python writes it, bytes in hex; long ones by their beginning."""
    if not datagram:
        return "empty datagram"
    whole = repr(datagram.decode()) if _kind(datagram) == "text" else datagram[:LONGEST_VALUE].hex(" ")
    return whole if len(whole) <= LONGEST_VALUE else f"{whole[:LONGEST_VALUE]}… {len(datagram)} bytes"
