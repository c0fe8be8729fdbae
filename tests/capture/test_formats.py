"""Capture files by others: both formats, both byte orders, the link types, what is inside IP."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import CaptureError, Kind, Segment
from tests.support import build
from tests.support.build import CLIENT, CLIENT6, SERVER, SERVER6, block, interface, ip, option, section, tcp, udp

IP4, IP6, VLAN = b"\x08\x00", b"\x86\xdd", b"\x81\x00"
MAC, SNAP, PPPOE = bytes(12), b"\xaa\xaa\3\0\0\0", b"\x88\x64\x11\0\0\1\0\x40"
ENDS = "10.0.0.1", "10.0.0.2"
QUESTION = udp(CLIENT, SERVER, b"time?")
QUESTION6 = udp(CLIENT6, SERVER6, b"time?")
UDP_HEADER = struct.pack(">HHHH", 53422, 20000, 13, 0) + b"time?"


def read(folder: Path, content: bytes) -> Capture:
    path = folder / "other.pcap"
    path.write_bytes(content)
    capture = Capture.of_file(path)
    capture.grow()
    return capture


def only(capture: Capture) -> Segment:
    assert capture.problem == ""
    assert (len(capture.segments), capture.unread.total()) == (1, 0)
    return capture.segments[0]


LINKED = {
    "RAW": (101, QUESTION),
    "RAW of BSD": (12, QUESTION),
    "RAW of OpenBSD": (14, QUESTION6),
    "IPV4": (228, QUESTION),
    "IPV6": (229, QUESTION6),
    "EN10MB": (1, MAC + IP4 + QUESTION + bytes(13)),  # padded to Ethernet's 60 bytes
    "EN10MB IPv6": (1, MAC + IP6 + QUESTION6),
    "EN10MB VLAN": (1, MAC + VLAN + b"\0\1" + IP4 + QUESTION),
    "EN10MB two VLANs": (1, MAC + b"\x88\xa8\0\1" + VLAN + b"\0\2" + IP6 + QUESTION6),
    "EN10MB SNAP": (1, MAC + b"\0\x42" + SNAP + IP4 + QUESTION),
    "EN10MB VLAN SNAP": (1, MAC + VLAN + b"\0\1\0\x42" + SNAP + IP6 + QUESTION6),
    "EN10MB LLC with IP's own number": (1, MAC + b"\0\x42\6\6\3" + QUESTION),
    "EN10MB PPPoE": (1, MAC + PPPOE + b"\0\x21" + QUESTION),
    "EN10MB VLAN PPPoE IPv6": (1, MAC + VLAN + b"\0\1" + PPPOE + b"\0\x57" + QUESTION6),
    "EN10MB PPPoE with a short protocol": (1, MAC + PPPOE + b"\x21" + QUESTION),
    "EN10MB MPLS": (1, MAC + b"\x88\x47" + bytes([0, 0, 0x10, 64, 0, 0, 0x21, 64]) + QUESTION),
    "PPP": (9, b"\xff\3\0\x21" + QUESTION),
    "PPP without address and control": (9, b"\0\x57" + QUESTION6),
    "PPP_HDLC": (50, b"\xff\3\0\x21" + QUESTION),
    "PPP_HDLC of Cisco": (50, b"\x0f\0\x08\0" + QUESTION),
    "PPP_ETHER": (51, PPPOE[2:] + b"\0\x21" + QUESTION),
    "C_HDLC": (104, b"\x0f\0" + IP6 + QUESTION6),
    "MPLS": (219, bytes([0, 0, 0x11, 64]) + QUESTION6),
    "LINUX_SLL LLC": (113, bytes(14) + b"\0\4" + SNAP + IP4 + QUESTION),
    "IP in IP": (101, ip(*ENDS, 4, QUESTION)),
    "IPv6 in IPv4": (101, ip(*ENDS, 41, QUESTION6)),
    "IPv4 in IPv6": (101, ip("::1", "::2", 4, QUESTION)),
    "GRE": (101, ip(*ENDS, 47, b"\0\0" + IP4 + QUESTION)),
    "GRE with checksum, key and sequence": (101, ip(*ENDS, 47, b"\xb0\0" + IP6 + bytes(12) + QUESTION6)),
    "GRE of PPTP": (101, ip(*ENDS, 47, b"\x30\x81\x88\x0b" + bytes(12) + b"\xff\3\0\x21" + QUESTION)),
    "GRE with Ethernet": (101, ip(*ENDS, 47, b"\0\0\x65\x58" + MAC + IP4 + QUESTION)),
    "GRE in GRE": (101, ip(*ENDS, 47, b"\0\0" + IP4 + ip(*ENDS, 47, b"\0\0" + IP4 + QUESTION))),
    "ERSPAN": (101, ip(*ENDS, 47, b"\x10\0\x88\xbe" + bytes(4) + b"\x10" + bytes(7) + MAC + IP4 + QUESTION)),
    "EtherIP": (101, ip(*ENDS, 97, b"\x30\0" + MAC + IP4 + QUESTION)),
    "MPLS in IP": (101, ip(*ENDS, 137, bytes([0, 0, 0x11, 64]) + QUESTION)),
    "authentication header": (101, ip(*ENDS, 51, b"\4\4" + bytes(22) + QUESTION)),
    "NULL": (0, b"\2\0\0\0" + QUESTION),
    "LOOP": (108, b"\0\0\0\x1e" + QUESTION6),
    "LINUX_SLL": (113, bytes(14) + IP4 + QUESTION),
    "LINUX_SLL2": (276, IP6 + bytes(18) + QUESTION6),
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("name", LINKED)
def test_link_types(tmp_path: Path, name: str, order: str) -> None:
    link, packet = LINKED[name]
    ng = section(order) + interface(link, order) + build.enhanced(packet, 5, order=order)

    for content in (build.pcap((0, 0, packet), link=link, order=order), ng):
        segment = only(read(tmp_path, content))
        assert (bytes(segment.data), segment.flow.server.port, segment.kind) == (b"time?", 20000, Kind.DATA)


@pytest.mark.parametrize("content", [build.pcap(link=127), section() + interface(127) + build.enhanced(b"radio")])
def test_an_unknown_link_type_is_refused_and_says_which_are_understood(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(
        CaptureError, match=r"link type IEEE802_11_RADIO \(127\) .* NULL, EN10MB, PPP, RAW, .*LINUX_SLL2$"
    ):
        read(tmp_path, content)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("magic", "nanoseconds"), [(0xA1B2C3D4, 2_000_007_000), (0xA1B23C4D, 2_000_000_007)])
def test_pcap_in_microseconds_and_nanoseconds(tmp_path: Path, order: str, magic: int, nanoseconds: int) -> None:
    assert only(read(tmp_path, build.pcap((2, 7, QUESTION), order=order, magic=magic))).time_ns == nanoseconds


@pytest.mark.parametrize(
    ("options", "ticks", "nanoseconds"),
    [
        (bytes(4), 3, 3000),  # microseconds, unless something else is said
        (b"\x09", 3, 3),
        (b"\x00", 3, 3_000_000_000),
        (b"\x03", 3, 3_000_000),
        (b"\x0c", 3000, 3),
        (b"\x81", 3, 1_500_000_000),
        (b"\xa0", 1 << 33, 2_000_000_000),
        (b"\x00", 2**64 - 1, 2**63 - 1),
        (b"\x7f", 2**64 - 1, 0),
    ],
)
@pytest.mark.parametrize("order", "<>")
def test_time_resolutions(tmp_path: Path, order: str, options: bytes, ticks: int, nanoseconds: int) -> None:
    options = option(9, options, order) if len(options) == 1 else options
    content = section(order) + interface(1, order, options) + build.enhanced(MAC + IP4 + QUESTION, ticks, order=order)

    assert only(read(tmp_path, content)).time_ns == nanoseconds


def test_a_time_offset(tmp_path: Path) -> None:
    options = option(9, b"\x09") + option(14, struct.pack("<q", 10))
    assert only(read(tmp_path, section() + interface(101, options=options) + build.enhanced(QUESTION, 1))).time_ns == (
        10_000_000_001
    )


@pytest.mark.parametrize("order", "<>")
def test_old_and_simple_packet_blocks(tmp_path: Path, order: str) -> None:
    old = build.old(QUESTION, 1 << 40, order)
    content = section(order) + interface(101, order) + build.simple(QUESTION, order) + old
    simple, older = read(tmp_path, content).segments

    assert (bytes(simple.data), simple.time_ns) == (b"time?", 0)
    assert (bytes(older.data), older.time_ns) == (b"time?", 1 << 40)


def test_a_simple_packet_ends_where_its_interface_cut_it(tmp_path: Path) -> None:
    cut = block(3, struct.pack("<I", len(QUESTION)) + QUESTION[:30])
    segment = only(read(tmp_path, section() + interface(101, snap_length=30) + cut))

    assert (bytes(segment.data), segment.length) == (b"ti", 5)


def test_interfaces_and_sections_of_their_own_kind(tmp_path: Path) -> None:
    first = section("<") + interface(1) + interface(101, options=option(9, b"\x06"))
    one, two = build.enhanced(MAC + IP4 + QUESTION, 7), build.enhanced(QUESTION, 7, number=1)
    second = section(">") + interface(113, ">") + build.enhanced(bytes(14) + IP4 + QUESTION, 9, order=">")
    name_resolution = block(4, bytes(4))
    capture = read(tmp_path, first + one + name_resolution + two + second)

    assert [(bytes(s.data), s.time_ns) for s in capture.segments] == [(b"time?", 7), (b"time?", 7000), (b"time?", 9)]
    assert len(capture.flows) == 1


def extension(kind: int, following: int, body: bytes = bytes(6)) -> bytes:
    return bytes([following, (len(body) + 2) // (4 if kind == 51 else 8) - (2 if kind == 51 else 1)]) + body


@pytest.mark.parametrize(
    ("first", "headers"),
    [
        (0, extension(0, 17)),
        (43, extension(43, 60, bytes(14)) + extension(60, 17)),
        (51, extension(51, 17, bytes(22))),
        (44, b"\x11" + bytes(7)),  # a fragment header around a whole packet (RFC 6946)
    ],
)
def test_ipv6_extension_headers(tmp_path: Path, first: int, headers: bytes) -> None:
    packet = ip("::1", "::1", first, headers + UDP_HEADER)
    assert bytes(only(read(tmp_path, build.capture([packet]))).data) == b"time?"


NOT_UNDERSTOOD = {
    "ARP": (1, MAC + b"\x08\x06" + bytes(28)),
    "ICMP": (101, ip("10.0.0.1", "10.0.0.2", 1, bytes(8))),
    "first fragment": (101, ip("10.0.0.1", "10.0.0.2", 17, UDP_HEADER, fragment=0x2000)),
    "later fragment": (101, ip("10.0.0.1", "10.0.0.2", 17, UDP_HEADER, fragment=100)),
    "IPv6 fragment": (101, ip("::1", "::2", 44, b"\x11\0\0\1" + bytes(4) + UDP_HEADER)),
    "IPv6 with too many headers": (101, ip("::1", "::2", 0, bytes(8) * 19 + b"\x11" + bytes(7) + UDP_HEADER)),
    "cut within IP": (101, QUESTION[:19]),
    "cut within UDP": (101, QUESTION[:27]),
    "cut within TCP": (101, tcp(CLIENT, SERVER, 1)[:39]),
    "cut within IPv6": (101, QUESTION6[:30]),
    "version 5": (101, b"\x55" + QUESTION[1:]),
    "IP header of 16 bytes": (101, b"\x44" + QUESTION[1:]),
    "TCP header of 16 bytes": (101, tcp(CLIENT, SERVER, 1)[:32] + b"\x40" + tcp(CLIENT, SERVER, 1)[33:]),
    "TCP header longer than the packet": (101, tcp(CLIENT, SERVER, 1)[:32] + b"\xf0" + tcp(CLIENT, SERVER, 1)[33:]),
    "UDP length 3": (101, ip("10.0.0.1", "10.0.0.2", 17, struct.pack(">HHHH", 1, 2, 3, 0))),
    "nothing": (101, b""),
    "Ethernet header cut": (1, MAC),
    "VLAN cut": (1, MAC + VLAN + b"\0\1"),
}


@pytest.mark.parametrize("name", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_counted(tmp_path: Path, name: str) -> None:
    link, packet = NOT_UNDERSTOOD[name]
    frames = build.enhanced(packet) + build.enhanced(QUESTION, number=1)
    capture = read(tmp_path, section() + interface(link) + interface(101) + frames)

    assert (capture.problem, capture.unread.total()) == ("", 1)
    assert [bytes(s.data) for s in capture.segments] == [b"time?"]


@pytest.mark.parametrize(
    ("link", "packet", "headers"),
    [
        (101, tcp(CLIENT, SERVER, 1, payload=b"Hello"), 40),
        (101, QUESTION6, 48),
        (1, MAC + VLAN + b"\0\1" + VLAN + b"\0\2" + IP4 + QUESTION, 50),
    ],
)
def test_headers_that_were_not_wholly_captured_are_not_understood(
    tmp_path: Path, link: int, packet: bytes, headers: int
) -> None:
    for cut in range(len(packet)):
        head = build.pcap(link=link)
        record = struct.pack("<IIII", 0, 0, cut, len(packet)) + packet[:cut]
        capture = read(tmp_path, head + record)
        assert (len(capture.segments), capture.unread.total()) == ((0, 1) if cut < headers else (1, 0))


def test_a_packet_that_the_network_card_was_to_cut_has_its_captured_length(tmp_path: Path) -> None:
    header = build.tcp_header(CLIENT[1], SERVER[1], 1, build.ACK)
    packet = ip(CLIENT[0], SERVER[0], 6, header + bytes(70_000), total=0)
    assert only(read(tmp_path, build.pcap((0, 0, packet)))).length == 70_000


def test_options_of_tcp_are_no_payload(tmp_path: Path) -> None:
    header = build.tcp_header(CLIENT[1], SERVER[1], 1, build.ACK, options=bytes(12))
    assert bytes(only(read(tmp_path, build.capture([ip(CLIENT[0], SERVER[0], 6, header + b"Hi")]))).data) == b"Hi"


def test_a_fin_that_carries_bytes_gives_them_to_the_stream(tmp_path: Path) -> None:
    capture = read(tmp_path, build.capture([tcp(CLIENT, SERVER, 1, build.FIN | build.ACK, b"bye")]))

    assert (capture.segments[0].kind, bytes(capture.segments[0].data)) == (Kind.FIN, b"bye")
    assert bytes(capture.stream(capture.flows[0], capture.segments[0].direction).view(0, 9)) == b"bye"
