"""DNS in datagrams and in streams: queries and answers (RFC 1035, RFC 6891)."""

from __future__ import annotations

from netlab.capture.model import Transport
from netlab.dissect.dns.dns_flow import HEADER, DnsFlow
from netlab.dissect.dns.dns_names import CLASSES, OPCODES, TYPES, is_name
from netlab.dissect.flow import Match, Opening, Protocol

_LAST_TYPE = max(TYPES)
_MOST_ADDITIONAL = 20
_LONGEST_QUERY = 2048


def recognise(opening: Opening) -> Match:
    """A query from the client: a header that asks, then a name, a known type and class. The answer has the same id."""
    asked, answered = opening.to_server, opening.to_client
    if opening.transport is Transport.TCP:
        lengths = [int.from_bytes(data[:2], "big") for data in (asked, answered) if len(data) >= 2]
        if any(length < HEADER for length in lengths) or (len(asked) >= 2 and lengths[0] > _LONGEST_QUERY):
            return Match.NO
        asked, answered = asked[2:], answered[2:]
        if asked and len(asked) < lengths[0]:
            return min(_query(asked), Match.UNDECIDED)
    if not asked:
        return Match.UNDECIDED if opening.to_server else _answer_alone(answered)
    found = _query(asked)
    if found is Match.NO or len(answered) < HEADER:
        return found
    return found if answered[:2] == asked[:2] and answered[2] & 0x80 else Match.NO


def _query(data: memoryview) -> Match:
    """How well a client's message fits; bytes may be missing at its end."""
    if len(data) < HEADER:
        return Match.UNDECIDED
    asks = not data[2] & 0x80 and (data[2] >> 3 & 15) in OPCODES and not data[3] & 0x4F
    counts = [int.from_bytes(data[at : at + 2], "big") for at in range(4, HEADER, 2)]
    if not asks or counts[0] != 1 or counts[1] > 100 or counts[2] > 100 or counts[3] > _MOST_ADDITIONAL:
        return Match.NO
    return _question(data)


def _question(data: memoryview) -> Match:
    at = HEADER
    while at < len(data) and data[at] and at < HEADER + 256:
        at += data[at] + 1
    if not is_name(data, HEADER):
        return Match.NO
    if len(data) < at + 5:
        return Match.UNDECIDED
    kind, group = int.from_bytes(data[at + 1 : at + 3], "big"), int.from_bytes(data[at + 3 : at + 5], "big")
    return Match.SURE if 0 < kind <= _LAST_TYPE and group & 0x7FFF in CLASSES else Match.NO


def _answer_alone(data: memoryview) -> Match:
    """A response whose query was not captured; the counts say that there is one question."""
    if len(data) < HEADER or not data[2] & 0x80 or (data[2] >> 3 & 15) not in OPCODES or bytes(data[4:6]) != b"\0\1":
        return Match.NO
    return min(_question(data), Match.LIKELY)


PROTOCOL = Protocol("dns", "DNS", recognise, DnsFlow, 40, frozenset(Transport))
