"""A capture that netlab wrote, read while it grows."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import CaptureError, Direction, Endpoint, Flow, Kind, Transport
from tests.support import build
from tests.support.build import ACK, CLIENT, CLIENT6, FIN, PSH, RST, SERVER, SERVER6, SYN, tcp, udp

OPEN, DATA, TO_SERVER, TO_CLIENT = Kind.OPEN, Kind.DATA, Direction.TO_SERVER, Direction.TO_CLIENT


def written(folder: Path, content: bytes) -> Capture:
    path = folder / "lab.pcapng"
    path.write_bytes(content)
    capture = Capture(path)
    capture.grow()
    return capture


def test_an_echo_is_open_data_data_fin_fin(tmp_path: Path) -> None:
    capture = written(tmp_path, build.capture(build.echo()))

    assert capture.problem == ""
    assert list(capture.flows) == [Flow(1, Transport.TCP, Endpoint(*CLIENT), Endpoint(*SERVER))]
    assert [
        (s.number, s.kind, s.direction, s.length, bytes(s.data), s.offset, s.time_ns - 10**18) for s in capture.segments
    ] == [
        (1, Kind.OPEN, TO_SERVER, 0, b"", 0, 0),
        (2, Kind.DATA, TO_SERVER, 5, b"Hello", 0, 3000),
        (3, Kind.DATA, TO_CLIENT, 5, b"Hello", 0, 4000),
        (4, Kind.FIN, TO_SERVER, 0, b"", 5, 5000),
        (5, Kind.FIN, TO_CLIENT, 0, b"", 5, 6000),
    ]


def test_segments_are_a_sequence(tmp_path: Path) -> None:
    segments = written(tmp_path, build.capture(build.echo())).segments

    assert len(segments) == 5
    assert segments[-1] == segments[4]
    assert [s.number for s in segments[1:3]] == [2, 3]
    for outside in (5, -6):
        with pytest.raises(IndexError):
            segments[outside]


def test_it_grows_block_by_block_and_says_how_many_segments_came(tmp_path: Path) -> None:
    path = tmp_path / "lab.pcapng"
    content = build.capture(build.echo())
    path.write_bytes(b"")
    capture = Capture(path)
    came = []
    for length in range(0, len(content) + 1, 4):
        path.write_bytes(content[:length])
        came.append(capture.grow(length))

    assert sum(came) == len(capture.segments) == 5
    assert max(came) == 1
    assert capture.problem == ""
    assert bytes(capture.segments[1].data) == b"Hello"


def test_it_reads_no_further_than_the_announced_length(tmp_path: Path) -> None:
    content = build.capture(build.echo())
    path = tmp_path / "lab.pcapng"
    path.write_bytes(content + b"half a block")
    capture = Capture(path)

    assert capture.grow(len(content)) == 5
    assert capture.problem == ""


def test_at_most_so_many_packets_are_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lab.pcapng"
    path.write_bytes(build.capture(build.echo()))
    capture = Capture(path)
    rounds = 0
    while capture.position < capture.size:
        assert capture.grow(at_most=2) <= 2
        assert capture.problem == ""
        rounds += 1

    assert rounds == 4
    assert len(capture.segments) == 5


def test_views_outlive_growth_and_closing(tmp_path: Path) -> None:
    path = tmp_path / "lab.pcapng"
    content = build.capture(build.echo())
    path.write_bytes(content)
    capture = Capture(path)
    capture.grow()
    held = capture.segments[1]
    with path.open("ab") as file:
        file.write(build.enhanced(tcp(CLIENT, SERVER, 107, payload=b"more")) * 100)
    assert capture.grow() == 100
    later = capture.segments[-1].data
    capture.close()
    capture.close()

    assert bytes(held.data) == b"Hello"
    assert bytes(later) == b"more"
    assert held.data.readonly
    assert len(capture.segments) == 0
    assert capture.grow() == 0


def test_a_fate_and_the_original_bytes(tmp_path: Path) -> None:
    changed = build.enhanced(tcp(CLIENT, SERVER, 101, payload=b"Jello"), comments=("corrupted 1 byte", "delayed 5 ms"))
    handshake = build.capture(build.opened())
    capture = written(
        tmp_path, handshake + build.original(b"Hello") + changed + build.enhanced(udp(CLIENT, SERVER, b"x"))
    )
    segment, after = capture.segments[1:]

    assert segment.fate == "corrupted 1 byte; delayed 5 ms"
    assert segment.original is not None
    assert bytes(segment.original) == b"Hello"
    assert bytes(segment.data) == b"Jello"
    assert (after.fate, after.original) == ("", None)


def test_bytes_that_a_fault_withheld_are_a_segment_outside_the_stream(tmp_path: Path) -> None:
    before = build.capture([*build.opened(), tcp(CLIENT, SERVER, 101, payload=b"Hello")])
    lost = build.original(b" lost") + build.enhanced(
        tcp(CLIENT, SERVER, 106, ACK), comments=("in transit", "netlab: outcome=dropped")
    )
    after = build.enhanced(tcp(CLIENT, SERVER, 106, payload=b" world"))
    capture = written(tmp_path, before + lost + after)
    withheld = capture.segments[2]

    assert (withheld.kind, withheld.length, bytes(withheld.data), withheld.words) == (
        DATA,
        0,
        b"",
        "dropped: in transit",
    )
    assert (withheld.offset, bytes(withheld.original or b"")) == (5, b" lost")
    assert bytes(capture.stream(capture.flows[0], TO_SERVER).view(0, 99)) == b"Hello world"


def test_a_fate_cannot_steer_a_terminal(tmp_path: Path) -> None:
    capture = written(
        tmp_path, build.capture([]) + build.enhanced(udp(CLIENT, SERVER, b"x"), comments=("\x1b[2J\u202e",))
    )

    assert capture.segments[0].fate == "\ufffd[2J\ufffd"


def test_an_option_longer_than_its_block_is_no_fate(tmp_path: Path) -> None:
    commented = bytearray(build.enhanced(udp(CLIENT, SERVER, b"1234"), comments=("dropped",)))
    commented[commented.index(b"\7\0dropped")] = 200
    capture = written(tmp_path, build.capture([]) + commented + build.enhanced(udp(CLIENT, SERVER, bytes(200))))

    assert [segment.fate for segment in capture.segments] == ["", ""]


def test_what_was_not_kept_still_has_its_length(tmp_path: Path) -> None:
    packet = tcp(CLIENT, SERVER, 101, payload=bytes(1000))
    cut = build.enhanced(packet[:40], length=len(packet))
    following = build.enhanced(tcp(CLIENT, SERVER, 1101, payload=b"after"))
    capture = written(tmp_path, build.capture(build.opened()) + cut + following)

    assert [(s.length, len(s.data), s.offset) for s in capture.segments[1:]] == [(1000, 0, 0), (5, 5, 1000)]
    stream = capture.stream(capture.flows[0], TO_SERVER)
    assert stream.length == 1005
    assert bytes(stream.view(0, 10)) == b""
    assert bytes(stream.view(1000, 2000)) == b"after"


def test_a_port_used_again_is_a_new_flow(tmp_path: Path) -> None:
    again = [*build.opened(first=5000, second=7000), tcp(SERVER, CLIENT, 7001, payload=b"second")]
    capture = written(tmp_path, build.capture([*build.echo(), *again]))

    assert [s.flow.number for s in capture.segments] == [1, 1, 1, 1, 1, 2, 2]
    assert capture.segments[-1].offset == 0
    assert bytes(capture.stream(capture.flows[1], TO_CLIENT).view(0, 99)) == b"second"


def test_a_syn_sent_again_is_the_same_flow(tmp_path: Path) -> None:
    capture = written(tmp_path, build.capture([tcp(CLIENT, SERVER, 100, SYN), *build.opened()]))

    assert [(s.kind, s.flow.number) for s in capture.segments] == [(OPEN, 1), (OPEN, 1)]


def test_a_syn_ack_with_another_number_behind_bytes_is_a_new_flow(tmp_path: Path) -> None:
    second = [tcp(SERVER, CLIENT, 7000, SYN | ACK), tcp(SERVER, CLIENT, 7001, payload=b"second")]
    capture = written(tmp_path, build.capture([*build.echo(), *second]))

    assert [bytes(capture.stream(flow, TO_CLIENT).view(0, 99)) for flow in capture.flows] == [b"Hello", b"second"]


def test_a_syn_after_a_reset_answers_nothing(tmp_path: Path) -> None:
    packets = [tcp(CLIENT, SERVER, 100, SYN), tcp(SERVER, CLIENT, 0, RST | ACK), tcp(SERVER, CLIENT, 500, SYN)]
    capture = written(tmp_path, build.capture(packets))

    assert [(s.kind, s.flow.number) for s in capture.segments] == [(OPEN, 1), (Kind.RESET, 1), (OPEN, 2)]


def test_what_a_reset_says_stands_in_its_stream(tmp_path: Path) -> None:
    packets = [*build.opened(), tcp(SERVER, CLIENT, 901, payload=b"Hi, "), tcp(SERVER, CLIENT, 905, RST, b"go away")]
    capture = written(tmp_path, build.capture(packets))
    reset = capture.segments[-1]

    assert (reset.kind, reset.direction, reset.length, bytes(reset.data)) == (Kind.RESET, TO_CLIENT, 7, b"go away")
    assert bytes(capture.stream(capture.flows[0], TO_CLIENT).view(0, 99)) == b"Hi, go away"


@pytest.mark.parametrize(("sequence", "text"), [(0, b""), (950, b"from a stranger"), (901, b"")])
def test_a_reset_without_text_or_beyond_a_gap_belongs_to_no_stream(tmp_path: Path, sequence: int, text: bytes) -> None:
    packets = [*build.opened(), tcp(CLIENT, SERVER, 101, payload=b"Hi"), tcp(SERVER, CLIENT, sequence, RST, text)]
    capture = written(tmp_path, build.capture(packets))

    assert (capture.segments[-1].kind, capture.segments[-1].offset) == (Kind.RESET, 0)
    assert capture.stream(capture.flows[0], TO_CLIENT).length == 0


def test_ipv6_and_several_flows_at_once(tmp_path: Path) -> None:
    other = ("127.0.0.1", 53423)
    packets = [
        *build.opened(CLIENT6, SERVER6),
        *build.opened(other, SERVER),
        tcp(CLIENT6, SERVER6, 101, payload=b"six"),
        tcp(SERVER, other, 901, payload=b"four"),
        udp(CLIENT, SERVER, b"time?"),
        udp(SERVER, CLIENT, b""),
    ]
    capture = written(tmp_path, build.capture(packets))

    assert [str(flow.client) for flow in capture.flows] == ["[::1]:53422", "127.0.0.1:53423", "127.0.0.1:53422"]
    assert [flow.transport for flow in capture.flows] == [Transport.TCP, Transport.TCP, Transport.UDP]
    assert [(s.flow.number, s.direction, bytes(s.data)) for s in capture.segments if s.kind is DATA] == [
        (1, TO_SERVER, b"six"),
        (2, TO_CLIENT, b"four"),
        (3, TO_SERVER, b"time?"),
        (3, TO_CLIENT, b""),
    ]
    assert [list(capture.numbers(flow)) for flow in capture.flows] == [[1, 3], [2, 4], [5, 6]]
    assert list(capture.numbers(capture.flows[0], after=1)) == [3]


@pytest.mark.parametrize(
    ("source", "target", "server"),
    [
        (("10.0.0.1", 443), ("10.0.0.2", 50000), ("10.0.0.1", 443)),
        (("10.0.0.1", 50000), ("10.0.0.2", 443), ("10.0.0.2", 443)),
        (("10.0.0.1", 20000), ("10.0.0.2", 50000), ("10.0.0.1", 20000)),
        (("10.0.0.1", 5000), ("10.0.0.2", 5000), ("10.0.0.2", 5000)),
    ],
)
def test_without_a_beginning_the_server_is_guessed(
    tmp_path: Path, source: build.Address, target: build.Address, server: build.Address
) -> None:
    capture = written(
        tmp_path, build.capture([tcp(source, target, 77, payload=b"middle"), tcp(source, target, 83, FIN)])
    )

    assert capture.flows[0].server == Endpoint(*server)
    assert [s.offset for s in capture.segments] == [0, 6]


def test_who_received_the_first_datagram_is_the_server_unless_the_port_is_well_known(tmp_path: Path) -> None:
    high, low, dns = ("10.0.0.1", 50000), ("10.0.0.2", 40000), ("10.0.0.3", 53)
    capture = written(tmp_path, build.capture([udp(low, high, b"q"), udp(dns, low, b"answer")]))

    assert [flow.server for flow in capture.flows] == [Endpoint(*high), Endpoint(*dns)]


def test_a_syn_ack_alone_tells_who_the_server_is(tmp_path: Path) -> None:
    server = ("10.0.0.1", 60000)
    capture = written(
        tmp_path,
        build.capture([tcp(server, CLIENT, 4, SYN | ACK), tcp(server, CLIENT, 5, PSH | ACK, b"welcome")]),
    )

    assert capture.flows[0].server == Endpoint(*server)
    assert [(s.offset, s.length) for s in capture.segments] == [(0, 7)]


@pytest.mark.parametrize("content", [b"", b"\n\r\r\n", b"GIF89a" + bytes(100), bytes(100)])
def test_what_is_no_capture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.pcapng"
    path.write_bytes(content)
    with pytest.raises(CaptureError):
        Capture.of_file(path)


def test_a_missing_file_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Capture(tmp_path / "none.pcapng")


def test_a_capture_that_nobody_closed_lets_go_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "left.pcapng"
    path.write_bytes(b"")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        capture = Capture(path)
        file = capture._last._file
        del capture
        gc.collect()
        assert file.closed
    assert not seen
