"""One direction of a flow as one run of bytes, from whatever packets it came in."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction
from netlab.capture.stream import LONGEST_JOIN, Stream
from tests.support import build
from tests.support.build import CLIENT, SERVER, tcp, udp

FIRST = 101


def stream_of(folder: Path, packets: list[bytes], *, after: bytes = b"") -> Stream:
    path = folder / "lab.pcapng"
    path.write_bytes(build.capture(packets) + after)
    capture = Capture(path)
    capture.grow()
    return capture.stream(capture.flows[0], Direction.TO_SERVER)


def sent(*pieces: tuple[int, bytes]) -> list[bytes]:
    return [*build.opened(), *(tcp(CLIENT, SERVER, FIRST + at, payload=piece) for at, piece in pieces)]


def text(stream: Stream) -> bytes:
    return b"".join(chunk.view for chunk in stream)


def test_chunks_know_their_offset_and_segment(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, sent((0, b"Hello"), (5, b" world")))

    assert [(c.offset, c.length, bytes(c.view), c.segment) for c in stream] == [
        (0, 5, b"Hello", 2),
        (5, 6, b" world", 3),
    ]
    assert stream.length == 11


def test_bytes_sent_again_appear_once(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, sent((0, b"Hello"), (0, b"Hello"), (3, b"lo world"), (4, b"o")))

    assert text(stream) == b"Hello world"
    assert [c.segment for c in stream] == [2, 4]


def test_what_came_late_stands_in_its_place(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, sent((0, b"He"), (6, b"world"), (2, b"llo wo")))

    assert text(stream) == b"Hello world"
    assert [c.offset for c in stream] == [0, 2, 6]


def test_a_gap_ends_a_view(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, sent((0, b"Hello"), (9, b"there")))

    assert stream.length == 14
    assert bytes(stream.view(3, 14)) == b"lo"
    assert bytes(stream.view(6, 14)) == b""
    assert bytes(stream.view(9, 14)) == b"there"


def test_a_view_within_a_chunk_is_the_mapped_file_and_across_chunks_is_joined(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, sent((0, b"Hello"), (5, b" world")))

    assert type(stream.view(0, 5).obj).__name__ == "mmap"
    assert bytes(stream.view(4, 7)) == b"o w"
    assert bytes(stream.view(-3, 2)) == b""
    assert bytes(stream.view(20, 30)) == b""


def test_what_is_joined_is_bounded(tmp_path: Path) -> None:
    piece = bytes(60_000)
    stream = stream_of(tmp_path, sent(*((at * len(piece), piece) for at in range(20))))

    assert len(stream.view(0, stream.length)) == LONGEST_JOIN < stream.length


def test_sequence_numbers_wrap(tmp_path: Path) -> None:
    first = 2**32 - 3
    packets = [*build.opened(first=first - 1), tcp(CLIENT, SERVER, first, payload=b"Hello")]
    stream = stream_of(tmp_path, [*packets, tcp(CLIENT, SERVER, first + 5, payload=b" world")])

    assert text(stream) == b"Hello world"


def test_positions_go_on_beyond_4_gib(tmp_path: Path) -> None:
    size = 2**31 - 100
    header = build.tcp_header(CLIENT[1], SERVER[1], FIRST, build.ACK)
    packets = b"".join(
        build.enhanced(
            build.ip(CLIENT[0], SERVER[0], 6, header[:4] + (FIRST + n * size).to_bytes(9)[-4:] + header[8:], total=0),
            length=40 + size,
        )
        for n in range(5)
    )
    after = build.enhanced(tcp(CLIENT, SERVER, FIRST + 5 * size, payload=b"Hello"))
    stream = stream_of(tmp_path, build.opened(), after=packets + after)

    assert [chunk.offset for chunk in stream] == [n * size for n in range(6)]
    assert bytes(stream.view(5 * size, stream.length)) == b"Hello"


def test_what_was_dropped_is_not_in_the_stream(tmp_path: Path) -> None:
    lost = build.enhanced(tcp(CLIENT, SERVER, FIRST + 5, payload=b" lost"), comments=("netlab: outcome=dropped",))
    after = build.enhanced(tcp(CLIENT, SERVER, FIRST + 5, payload=b" world"), comments=("delayed 3 ms",))
    stream = stream_of(tmp_path, sent((0, b"Hello")), after=lost + after)

    assert text(stream) == b"Hello world"


def test_datagrams_stand_one_after_the_other(tmp_path: Path) -> None:
    stream = stream_of(tmp_path, [udp(CLIENT, SERVER, b"one"), udp(CLIENT, SERVER, b""), udp(CLIENT, SERVER, b"two")])

    assert [(c.offset, bytes(c.view), c.segment) for c in stream] == [(0, b"one", 1), (3, b"two", 3)]


def test_bytes_before_the_first_that_is_known_are_left_out(tmp_path: Path) -> None:
    packets = [tcp(CLIENT, SERVER, 50, payload=b"known"), tcp(CLIENT, SERVER, 40, payload=b"known before")]

    assert text(stream_of(tmp_path, packets)) == b"known"


def test_a_stream_grows_with_its_capture(tmp_path: Path) -> None:
    path = tmp_path / "lab.pcapng"
    path.write_bytes(build.capture(sent((0, b"Hello"))))
    capture = Capture(path)
    capture.grow()
    stream = capture.stream(capture.flows[0], Direction.TO_SERVER)
    with path.open("ab") as file:
        file.write(build.enhanced(tcp(CLIENT, SERVER, FIRST + 5, payload=b" world")))
    capture.grow()

    assert stream.length == 5
    assert capture.stream(capture.flows[0], Direction.TO_SERVER) is stream
    assert bytes(stream.view(0, 11)) == b"Hello world"


class Payloads:
    """A capture of which only payloads are known."""

    def __init__(self, pieces: list[tuple[int, bytes]]) -> None:
        self.pieces = pieces

    def rows(self, route: int, start: int, stop: int) -> list[tuple[int, int, int]]:
        return [(row, at, len(piece)) for row, (at, piece) in enumerate(self.pieces)][start:stop]

    def payload(self, row: int) -> memoryview:
        return memoryview(self.pieces[row][1])


@given(st.binary(min_size=1, max_size=60), st.lists(st.tuples(st.integers(0, 59), st.integers(1, 20))))
def test_any_cut_any_order_any_repetition_gives_the_same_bytes(whole: bytes, cuts: list[tuple[int, int]]) -> None:
    pieces = [(at, whole[at : at + length]) for at, length in cuts if at < len(whole)]
    stream = Stream(Payloads(pieces), 0, datagrams=False)
    stream.grow(len(pieces))
    known = {at + i for at, piece in pieces for i in range(len(piece))}

    found = {chunk.offset + i: byte for chunk in stream for i, byte in enumerate(chunk.view)}
    assert found == {at: whole[at] for at in known}
    assert sum(chunk.length for chunk in stream) == len(known)
    for start in range(len(whole)):
        end = next(at for at in range(start, len(whole) + 1) if at not in known)
        assert bytes(stream.view(start, len(whole))) == whole[start:end]
