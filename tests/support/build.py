"""Capture files made by hand, byte for byte, without netlab: blocks, records, and the packets inside."""

from __future__ import annotations

import socket
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = ("127.0.0.1", 53422), ("127.0.0.1", 20000)
CLIENT6, SERVER6 = ("::1", 53422), ("::1", 20000)
Address = tuple[str, int]


def padded(body: bytes) -> bytes:
    return body + bytes(-len(body) % 4)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    size = len(padded(body)) + 12
    return struct.pack(order + "II", kind, size) + padded(body) + struct.pack(order + "I", size)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + padded(value)


def section(order: str = "<", length: int = -1) -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, length), order)


def interface(link: int = 101, order: str = "<", options: bytes = b"", snap_length: int = 0) -> bytes:
    options = options or option(9, b"\x09", order)
    return block(1, struct.pack(order + "HHI", link, 0, snap_length) + options + bytes(4), order)


def enhanced(
    packet: bytes,
    ticks: int = 0,
    *,
    comments: tuple[str, ...] = (),
    order: str = "<",
    number: int = 0,
    length: int | None = None,
) -> bytes:
    head = struct.pack(
        order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet) if length is None else length
    )
    options = b"".join(option(1, comment.encode(), order) for comment in comments)
    return block(6, head + padded(packet) + (options + bytes(4) if options else b""), order)


def old(packet: bytes, ticks: int = 0, order: str = "<", number: int = 0) -> bytes:
    head = struct.pack(order + "HHIIII", number, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
    return block(2, head + padded(packet), order)


def simple(packet: bytes, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", len(packet)) + packet, order)


def original(payload: bytes) -> bytes:
    return block(0x80004E4C, struct.pack("<I", len(payload)) + payload)


def pcap(*packets: tuple[int, int, bytes], link: int = 101, order: str = "<", magic: int = 0xA1B2C3D4) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    return head + b"".join(
        struct.pack(order + "IIII", seconds, fraction, len(packet), len(packet)) + packet
        for seconds, fraction, packet in packets
    )


def ip(source: str, target: str, protocol: int, body: bytes, *, fragment: int = 0, total: int | None = None) -> bytes:
    if ":" in source:
        hosts = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
        return struct.pack(">IHBB", 6 << 28, len(body) if total is None else total, protocol, 64) + hosts + body
    hosts = socket.inet_aton(source) + socket.inet_aton(target)
    total = 20 + len(body) if total is None else total
    return struct.pack(">BBHHHBBH", 0x45, 0, total, 1, fragment, 64, protocol, 0) + hosts + body


def tcp_header(
    source: int, target: int, sequence: int, flags: int, acknowledged: int = 0, options: bytes = b""
) -> bytes:
    offset = (5 + len(options) // 4) << 4
    return (
        struct.pack(">HHIIBBHHH", source, target, sequence % 2**32, acknowledged % 2**32, offset, flags, 0xFFFF, 0, 0)
        + options
    )


def tcp(
    source: Address, target: Address, sequence: int, flags: int = PSH | ACK, payload: bytes = b"", acknowledged: int = 0
) -> bytes:
    header = tcp_header(source[1], target[1], sequence, flags, acknowledged)
    return ip(source[0], target[0], 6, header + payload)


def udp(source: Address, target: Address, payload: bytes) -> bytes:
    return ip(source[0], target[0], 17, struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0) + payload)


def opened(client: Address = CLIENT, server: Address = SERVER, first: int = 100, second: int = 900) -> list[bytes]:
    """The packets of a handshake; data then begins at ``first + 1`` and ``second + 1``."""
    return [
        tcp(client, server, first, SYN),
        tcp(server, client, second, SYN | ACK, acknowledged=first + 1),
        tcp(client, server, first + 1, ACK, acknowledged=second + 1),
    ]


def echo() -> list[bytes]:
    """One whole conversation: open, Hello there and back, closed from both sides."""
    return [
        *opened(),
        tcp(CLIENT, SERVER, 101, PSH | ACK, b"Hello", 901),
        tcp(SERVER, CLIENT, 901, PSH | ACK, b"Hello", 106),
        tcp(CLIENT, SERVER, 106, FIN | ACK, acknowledged=906),
        tcp(SERVER, CLIENT, 906, FIN | ACK, acknowledged=107),
        tcp(CLIENT, SERVER, 107, ACK, acknowledged=907),
    ]


def capture(packets: list[bytes], start: int = 10**18, step: int = 1000) -> bytes:
    """A capture as netlab writes it."""
    stamped = (enhanced(packet, start + number * step) for number, packet in enumerate(packets))
    return section() + interface() + b"".join(stamped)
