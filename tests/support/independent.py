"""A second opinion: a strict, minimal pcapng reader and TCP reassembler that shares no code with netlab.

Reads the whole file into memory, believes nothing and raises `Wrong` at the first thing that is not as the format, the
checksums' absence apart, or TCP's sequence numbers want it. Other tests use it on what the wire wrote.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path

Address = tuple[str, int]


class Wrong(Exception):
    """The file or the conversation in it is not as it must be."""


@dataclass
class Frame:
    """One packet of the file. ``data`` is what was captured, ``length`` what it had on the wire."""

    time_ns: int
    data: bytes
    length: int
    comments: list[str]
    original: bytes | None = None


@dataclass
class Way:
    """One direction of a conversation."""

    first: int = -1
    data: bytearray = field(default_factory=bytearray)
    datagrams: list[bytes] = field(default_factory=list)
    fin: bool = False
    missing: int = 0


@dataclass
class Conversation:
    """One flow as it can be put together from the packets."""

    transport: str
    client: Address
    server: Address
    to_server: Way = field(default_factory=Way)
    to_client: Way = field(default_factory=Way)
    reset: bool = False


def need(condition: object, what: str) -> None:
    if not condition:
        raise Wrong(what)


def blocks(raw: bytes) -> list[tuple[int, bytes]]:
    """Type and body of every block of a little-endian pcapng file; the file must end with the last of them."""
    found, at = [], 0
    while at < len(raw):
        need(at + 12 <= len(raw), f"half a block at {at}")
        kind, size = struct.unpack_from("<II", raw, at)
        need(size >= 12 and size % 4 == 0 and at + size <= len(raw), f"length {size} of the block at {at}")
        need(struct.unpack_from("<I", raw, at + size - 4)[0] == size, f"the second length of the block at {at}")
        found.append((kind, raw[at + 8 : at + size - 4]))
        at += size
    return found


def option_list(body: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(body):
        code, length = struct.unpack_from("<HH", body, at)
        if code == 0:
            need(length == 0 and at + 4 == len(body), "something follows the end of options")
            break
        need(at + 4 + length <= len(body), "an option is longer than its block")
        found.append((code, body[at + 4 : at + 4 + length]))
        at += 4 + length + -length % 4
    return found


def frames(raw: bytes) -> list[Frame]:
    """Every packet of a capture as netlab writes it: one section, one raw-IP interface with nanoseconds."""
    (kind, header), (second, interface), *rest = blocks(raw)
    need(kind == 0x0A0D0D0A and struct.unpack_from("<IHH", header) == (0x1A2B3C4D, 1, 0), "the section header")
    need(second == 1 and struct.unpack_from("<H", interface)[0] == 101, "the interface: raw IP")
    need((9, b"\x09") in option_list(interface[8:]), "the interface: nanoseconds")
    found: list[Frame] = []
    original = None
    for kind, body in rest:
        if kind == 0x80004E4C:
            length = struct.unpack_from("<I", body)[0]
            need(length <= len(body) - 4 < length + 4, "the length of original bytes")
            original = body[4 : 4 + length]
        elif kind == 6:
            found.append(_frame(body, original))
            original = None
        else:
            need(kind == 10, f"an unexpected block {kind:#x}")
    need(original is None, "original bytes without a packet")
    return found


def _frame(body: bytes, original: bytes | None) -> Frame:
    number, high, low, captured, length = struct.unpack_from("<IIIII", body)
    need(number == 0 and captured <= length and 20 + captured <= len(body), "an enhanced packet's lengths")
    options = option_list(body[20 + captured + -captured % 4 :])
    comments = [value.decode() for code, value in options if code == 1]
    return Frame(high << 32 | low, body[20 : 20 + captured], length, comments, original)


def conversations(source: Path | bytes) -> list[Conversation]:
    """The flows of a capture in order of appearance, put together byte by byte."""
    raw = source if isinstance(source, bytes) else source.read_bytes()
    found: list[Conversation] = []
    latest: dict[tuple[str, Address, Address], Conversation] = {}
    for frame in frames(raw):
        transport, source_address, target, header, payload, missing = _transport(frame)
        key = (transport, source_address, target)
        fresh = transport == "tcp" and header[13] & 0x12 == 0x02
        if fresh or key not in latest:
            need(fresh or transport == "udp", f"a TCP packet before its SYN: {key}")
            conversation = Conversation(transport, source_address, target)
            found.append(conversation)
            latest[key] = latest[transport, target, source_address] = conversation
        conversation = latest[key]
        way = conversation.to_server if source_address == conversation.client else conversation.to_client
        if transport == "udp":
            way.datagrams.append(payload)
        else:
            _take(conversation, way, header, payload, missing)
    return found


def _take(conversation: Conversation, way: Way, header: bytes, payload: bytes, missing: int) -> None:
    """One TCP packet, which must continue its stream exactly where that stood."""
    sequence, flags = struct.unpack_from(">I", header, 4)[0], header[13]
    if flags & 0x02:
        way.first = (sequence + 1) % 2**32
        return
    need(way.first >= 0, "bytes before the SYN of their direction")
    expected = (way.first + len(way.data) + way.missing + way.fin) % 2**32
    need(sequence == expected, f"sequence number {sequence}, not {expected}")
    need(not (way.fin and payload), "bytes after the FIN")
    way.data += payload
    way.missing += missing
    way.fin = way.fin or bool(flags & 0x01)
    conversation.reset = conversation.reset or bool(flags & 0x04)


def _transport(frame: Frame) -> tuple[str, Address, Address, bytes, bytes, int]:
    """Transport, source, target, header, captured payload, and how many of its bytes were not captured."""
    data = frame.data
    if data[0] >> 4 == 4:
        start, family, hosts, total = (data[0] & 15) * 4, socket.AF_INET, (data[12:16], data[16:20]), data[2:4]
        whole, protocol = int.from_bytes(total), data[9]
    else:
        need(data[0] >> 4 == 6, "neither IPv4 nor IPv6")
        start, family, hosts, protocol = 40, socket.AF_INET6, (data[8:24], data[24:40]), data[6]
        whole = 40 + int.from_bytes(data[4:6])
    need(whole == frame.length, f"IP says {whole} bytes, the block {frame.length}")
    need(protocol in (6, 17), f"protocol {protocol}")
    ports = struct.unpack_from(">HH", data, start)
    source, target = ((socket.inet_ntop(family, host), port) for host, port in zip(hosts, ports, strict=True))
    size = (data[start + 12] >> 4) * 4 if protocol == 6 else 8
    if protocol == 17:
        need(int.from_bytes(data[start + 4 : start + 6]) == whole - start, "the length in the UDP header")
    payload = data[start + size :]
    missing = whole - start - size - len(payload)
    return "tcp" if protocol == 6 else "udp", source, target, data[start : start + size], payload, missing
