"""JSON lines: each line an object or an array, as in many protocols and logs; JSON-RPC over a stream among them."""

from __future__ import annotations

import json
import re

from netlab.dissect.flow import MOST_OPENING, Match, Opening, Protocol
from netlab.dissect.framed.json_messages import JsonLinesFlow

_BEGUN = re.compile(rb'[ \t]*(?:\{[ \t]*(?:["}]|$)|\[[ \t]*(?:[\[\]{"0-9tfn-]|$))')
_MEMBER = re.compile(rb'[ \t]*\{[ \t]*"[^"\\]{1,100}"[ \t]*:')


def recognise(opening: Opening) -> Match:
    """The first line of each direction is an object or an array in JSON, and at least one has come whole."""
    found = [_line(bytes(data)) for data in (opening.to_server, opening.to_client) if data]
    if not found or Match.NO in found:
        return Match.NO
    return max(found)


def _line(data: bytes) -> Match:
    line, newline, _ = data.partition(b"\n")
    if not _BEGUN.match(line):
        return Match.NO
    if not newline:
        long = len(data) >= MOST_OPENING and _MEMBER.match(line)
        return Match.LIKELY if long else Match.UNDECIDED
    try:
        value = json.loads(line, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return Match.NO
    return Match.LIKELY if isinstance(value, dict | list) else Match.NO


PROTOCOL = Protocol("jsonlines", "JSON lines", recognise, JsonLinesFlow, 300)
