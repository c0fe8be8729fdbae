"""What tshark says of a packet, in its PDML, as fields: linked to bytes only where the bytes prove it.

A ``pos`` counts in the packet, in the buffer that tshark put together, or in one that it unpacked; nothing names which.
So a position counts only where the bytes there are the field's ``value``. Knows no process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from netlab.dissect.fields import Field
from netlab.dissect.wireshark.flow_packets import FlowPacket, FlowPackets

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

MOST_FIELDS: Final = 5000
_DEEPEST: Final = 40
_LONGEST: Final = 500
_BELOW: Final = frozenset({"geninfo", "frame", "raw", "ip", "ipv6", "tcp", "udp"})
"""Protocols that are left out: their headers are not the segment's bytes."""
_WRAPPER: Final = "fake-field-wrapper"
_REASSEMBLED: Final = "tcp.segments"


class PacketSaid(NamedTuple):
    """A packet's protocols above its transport, and the numbers of the packets that they were put together from."""

    protocols: tuple[ET.Element, ...]
    parts: tuple[tuple[int, int, str], ...]
    """Number of the packet, how many bytes, and these in hex."""


class TooMuch(Exception):
    """tshark says more about a packet than is shown."""


def packets_in(pdml: IO[bytes]) -> Iterator[tuple[int, PacketSaid]]:
    """Each packet that tshark prints, with its number. Raises `ET.ParseError`, and `TooMuch` for a packet too large."""
    from xml.etree.ElementTree import iterparse  # late: the app starts without it

    count = 0
    for event, element in iterparse(pdml, ("start", "end")):
        if event == "start":
            count += 1
            if count > 20 * MOST_FIELDS:
                raise TooMuch
        elif element.tag == "packet":
            yield _number(element), _said_of(element)
            element.clear()
            count = 0


def _number(packet: ET.Element) -> int:
    found = packet.find("./proto[@name='geninfo']/field[@name='num']")
    return int(found.get("show", "0")) if found is not None else 0


def _said_of(packet: ET.Element) -> PacketSaid:
    protocols, parts = [], []
    for protocol in packet.findall("proto"):
        if protocol.get("name") in _BELOW:
            continue
        for field in protocol.findall("field"):
            if field.get("name") == _REASSEMBLED:
                parts += [_part(each) for each in field.findall("field[@name='tcp.segment']")]
        rest = [field for field in protocol if field.get("name") != _REASSEMBLED]
        if protocol.get("name") != _WRAPPER or rest:
            protocols.append(protocol)
    return PacketSaid(tuple(protocols), tuple(parts))


def _part(segment: ET.Element) -> tuple[int, int, str]:
    return int(segment.get("show", "0")), int(segment.get("size", "0")), segment.get("value", "")


class Placing:
    """Where a ``pos`` may lie in a stream: in the packet itself, or in what was put together from several."""

    def __init__(self, packets: FlowPackets, number: int, said: PacketSaid) -> None:
        self._packets = packets
        packet = packets.packets[number]
        self._direction = packet.direction
        origins = [packet.offset - packet.header]
        first = packets.packets.get(said.parts[0][0]) if said.parts else None
        if first is not None and first.direction is packet.direction:
            origins.insert(0, _end(first) - said.parts[0][1])
        self._origins = origins

    def origin_of(self, protocol: ET.Element) -> int | None:
        """What to add to a protocol's positions: the origin that most of its values prove, if they are the majority."""
        fields = [field for field in protocol.iter("field") if _length(field)]
        proofs = [(sum(self._proves(origin, field) for field in fields), origin) for origin in self._origins]
        best, origin = max(proofs, key=lambda proof: proof[0])
        return origin if best * 2 > len(fields) else None

    def span(self, origin: int | None, field: ET.Element) -> tuple[int, int] | None:
        """The field's place in the stream, if it is proved."""
        if origin is None or not _length(field) or not self._proves(origin, field):
            return None
        start = origin + int(field.get("pos", "0"))
        return start, start + _length(field)

    def _proves(self, origin: int, field: ET.Element) -> bool:
        start = origin + int(field.get("pos", "0"))
        value = field.get("unmaskedvalue") or field.get("value") or ""
        there = self._packets.bytes_at(self._direction, start, start + _length(field))
        return bool(value) and there.hex() == value.lower()


def _end(packet: FlowPacket) -> int:
    return packet.offset + packet.length


def _length(field: ET.Element) -> int:
    """How many bytes a field that has a value says that it is long; 0 for one without a place."""
    value = field.get("unmaskedvalue") or field.get("value") or ""
    size = field.get("size", "0")
    return int(size) if size.isdecimal() and len(value) == 2 * int(size) else 0


def fields_of(said: PacketSaid, packets: FlowPackets, number: int, offset: int) -> tuple[Field, ...]:
    """The fields of a packet, with positions in the stream counted from ``offset``."""
    placing, left = Placing(packets, number, said), [MOST_FIELDS]
    found: list[Field] = []
    for protocol in said.protocols:
        origin = placing.origin_of(protocol)
        children = _children(protocol, placing, origin, offset, left, 1)
        if protocol.get("name") == _WRAPPER:
            found += children
        else:
            found.append(_around(protocol, children, layer=True))
    return _in_order(found)


def _children(
    element: ET.Element, placing: Placing, origin: int | None, offset: int, left: list[int], depth: int
) -> tuple[Field, ...]:
    found = []
    for each in element.findall("field"):
        if each.get("hide") == "yes" or each.get("name") == _REASSEMBLED or depth > _DEEPEST or not left[0]:
            continue
        left[0] -= 1
        children = _children(each, placing, origin, offset, left, depth + 1)
        span = placing.span(origin, each)
        if span is None:
            found.append(_around(each, children))
        else:
            name, words = _named(each)
            found.append(Field(name, span[0] - offset, span[1] - offset, "", words, children))
    return _in_order(found)


def _around(element: ET.Element, children: tuple[Field, ...], *, layer: bool = False) -> Field:
    """A field without a proved place of its own: as far as its children reach."""
    name, words = _named(element)
    placed = [child for child in children if _is_placed(child)]
    if not placed:
        return Field(name, 0, 0, "", words, children, layer)
    return Field(name, placed[0].start, max(child.end for child in placed), "", words, children, layer)


def _in_order(fields: list[Field]) -> tuple[Field, ...]:
    """By position; one without a place stands behind the one before it, and is empty."""
    at, placed = min((each.start for each in fields if _is_placed(each)), default=0), []
    for each in fields:
        at = each.end if _is_placed(each) else at
        placed.append(each if _is_placed(each) else replace(each, start=at, end=at))
    return tuple(sorted(placed, key=lambda each: each.start))


def _is_placed(field: Field) -> bool:
    return field.end > field.start


def _named(element: ET.Element) -> tuple[str, str]:
    """A field's name in filters, and what tshark shows."""
    name, shown = element.get("name", ""), element.get("showname") or element.get("show") or ""
    return (name, shown[:_LONGEST]) if name else (shown[:_LONGEST], "")
