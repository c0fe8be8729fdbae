"""Swim lanes from facts, and as rows of text."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Endpoint, Flow, Kind, Outcome, Segment, Transport
from netlab.lab import Lab
from netlab.lab.experiments.swim_lanes import SECOND, Board, Lane, LaneBuilder, LanePhase, LiveLanes, PhaseSpan
from netlab.lab.experiments.swim_lanes_text import GLYPHS, MOST, axis, cells, render, render_boards
from tests.support.folders import CAPTURE_CASES
from tests.support.waiting import wait_until

SERVER = Endpoint("127.0.0.1", 20000)
START = 1_700_000_000 * SECOND
UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def client(number: int) -> Endpoint:
    return Endpoint("127.0.0.1", 50000 + number)


def lane(number: int, opened: float, accepted: float | None = None, closed: float | None = None) -> Lane:
    return Lane(
        number,
        client(number),
        at(opened),
        f"client {number}",
        None,
        None if accepted is None else at(accepted),
        None if closed is None else at(closed),
    )


def segment(
    number: int, seconds: float, way: Direction, kind: Kind, length: int = 0, outcome: Outcome = Outcome.DELIVERED
) -> Segment:
    flow = Flow(number, Transport.TCP, client(number), SERVER)
    return Segment(0, at(seconds), flow, way, kind, length, memoryview(b"x" * length), outcome=outcome)


SINGLE = (lane(1, 0.0, 0.0, 1.0), lane(2, 0.2, 1.0, 1.5), lane(3, 0.4, 1.5), lane(4, 0.6))
THREADING = (lane(1, 0.0, 0.0, 0.5), lane(2, 0.2, 0.2, 0.7), lane(3, 0.4, 0.4, 0.9), lane(4, 0.6, 0.6, 1.1))


def test_single_while_it_runs() -> None:
    assert render(SINGLE, 72, at(2.0)) == [
        "client 1 ██████████████████████┤                      waited 0 ms",
        "client 2     ░░░░░░░░░░░░░░░░░░███████████┤           waited 800 ms",
        "client 3         ░░░░░░░░░░░░░░░░░░░░░░░░░██████████  waited 1.10 s",
        "client 4              ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  waits 1.40 s",
        "         ┬──────────┬──────────┬──────────┬──────────",
        "         0.0 s      0.5        1.0        1.5",
        "· connecting   ░ in the accept queue   █ being served   ┤ closed",
    ]


def test_two_models_on_one_time_axis() -> None:
    boards = [Board("single", SINGLE, at(2.0)), Board("threading", THREADING, at(9.0))]
    assert render_boards(boards, 60) == [
        "single",
        "client 1 ████████████████┤                waited 0 ms",
        "client 2    ░░░░░░░░░░░░░████████┤        waited 800 ms",
        "client 3       ░░░░░░░░░░░░░░░░░░███████  waited 1.10 s",
        "client 4          ░░░░░░░░░░░░░░░░░░░░░░  waits 1.40 s",
        "threading",
        "client 1 ████████┤                        waited 0 ms",
        "client 2    ████████┤                     waited 0 ms",
        "client 3       ████████┤                  waited 0 ms",
        "client 4          ████████┤               waited 0 ms",
        "         ┬───────────────┬──────────────┬",
        "         0 s             1              2",
        "· connecting   ░ in the accept queue   █ being served",
        "┤ closed",
    ]


def test_two_models_side_by_side_on_axes_of_one_scale() -> None:
    boards = [Board("single", SINGLE, at(2.0)), Board("threading", THREADING[:3], at(9.0))]
    assert "waited 800 ms" in render_boards(boards, 117, beside=True)[2]
    assert render_boards(boards, 97, beside=True) == [
        "single                                 waited   │ threading                              waited",
        "client 1 ██████████████┤               0 ms     │ client 1 ███████┤                      0 ms",
        "client 2   ░░░░░░░░░░░░███████┤        800 ms   │ client 2   ████████┤                   0 ms",
        "client 3      ░░░░░░░░░░░░░░░░███████  1.10 s   │ client 3      ████████┤                0 ms",
        "client 4         ░░░░░░░░░░░░░░░░░░░░  1.40 s…  │",
        "         ┬─────────────┬─────────────┬          │          ┬─────────────┬─────────────┬",
        "         0 s           1             2          │          0 s           1             2",
        "· connecting   ░ in the accept queue   █ being served   ┤ closed",
    ]
    assert render_boards(boards, 67, beside=True)[:5] == [
        "single, clients         waited   │ threading, clients      waited",
        "1 ██████████┤           0 ms     │ 1 █████┤                0 ms",
        "2   ░░░░░░░░█████┤      800 ms   │ 2   █████┤              0 ms",
        "3     ░░░░░░░░░░░█████  1.10 s   │ 3     █████┤            0 ms",
        "4       ░░░░░░░░░░░░░░  1.40 s…  │",
    ]
    assert render_boards(boards[:1], 100, beside=True) == render_boards(boards[:1], 100)


def test_narrow() -> None:
    assert render(SINGLE[:2], 40, at(2.0)) == [
        "client 1 ████████████████████┤",
        "client 2     ░░░░░░░░░░░░░░░░█████████┤",
        "         ┬─────────┬─────────┬─────────",
        "         0.0 s     0.5       1.0",
        "· connecting   ░ in the accept queue",
        "█ being served   ┤ closed",
    ]


def test_it_fits_any_width() -> None:
    for width in (30, 40, 47, 48, 80, 81, 200):
        rows = render(SINGLE, width, at(2.0))
        assert max(map(len, rows)) <= width, width


def test_nothing_yet() -> None:
    assert render((), 80)[0] == "no client yet"
    assert render((), 80)[-1] == "· connecting   ░ in the accept queue   █ being served   ┤ closed"


def test_of_more_clients_than_rows_the_newest_are_drawn_and_the_others_counted() -> None:
    crowd = [lane(number, number / 100) for number in range(MOST + 5)]
    rows = render(crowd, 80, at(1.0))
    assert rows[0] == "5 clients before these"
    assert rows[1].startswith("client 5 ") and rows[MOST].startswith(f"client {MOST + 4} ")
    assert sum("client" in row and "waits" in row for row in rows) == MOST


def test_phases_follow_each_other() -> None:
    whole = replace(lane(1, 0.2, 0.5, 0.9), began=at(0.1))
    assert whole.spans == (
        PhaseSpan(LanePhase.CONNECTING, at(0.1), at(0.2)),
        PhaseSpan(LanePhase.QUEUED, at(0.2), at(0.5)),
        PhaseSpan(LanePhase.SERVED, at(0.5), at(0.9)),
    )
    phases = [whole.phase(at(seconds)) for seconds in (0.1, 0.3, 0.6, 1.0)]
    assert phases == [LanePhase.CONNECTING, LanePhase.QUEUED, LanePhase.SERVED, LanePhase.CLOSED]


def test_a_client_that_left_the_queue_was_never_served() -> None:
    left = lane(1, 0.0, None, 0.5)
    assert left.words(at(1.0)) == "never served"
    assert left.phase(at(1.0)) is LanePhase.CLOSED


def test_facts_by_the_clients_own_address() -> None:
    facts = LaneBuilder()
    for number in (1, 2):
        facts.crossed(segment(number, number / 10, UP, Kind.OPEN))
    facts.crossed(segment(1, 0.3, UP, Kind.DATA, 5))
    facts.crossed(segment(1, 0.4, DOWN, Kind.DATA, 7))
    facts.crossed(segment(1, 0.45, DOWN, Kind.DATA, 9, Outcome.DROPPED))
    facts.crossed(segment(1, 0.5, UP, Kind.FIN))
    facts.crossed(segment(1, 0.6, DOWN, Kind.FIN))
    facts.accepted(at(0.25), client(2))
    facts.accepted(at(0.26), client(1))
    first, second = facts.lanes({client(1): ("Ann", at(0.05))})
    assert first == Lane(1, client(1), at(0.1), "Ann", at(0.05), at(0.26), at(0.6), 5, 7)
    assert second == Lane(2, client(2), at(0.2), "flow 2", None, at(0.25))


def test_facts_by_the_order_of_the_accept_queue() -> None:
    """The server knows its clients by the wire's ports."""
    facts = LaneBuilder()
    for number in (1, 2, 3):
        facts.crossed(segment(number, number / 10, UP, Kind.OPEN))
    facts.accepted(at(0.15), Endpoint("127.0.0.1", 41001))
    facts.accepted(at(0.55), Endpoint("127.0.0.1", 41002))
    assert [each.accepted for each in facts.lanes()] == [at(0.15), at(0.55), None]


def test_a_half_closed_client_is_still_served_and_a_reset_ends_it() -> None:
    facts = LaneBuilder()
    facts.crossed(segment(1, 0.1, UP, Kind.OPEN))
    facts.crossed(segment(1, 0.2, UP, Kind.FIN))
    assert facts.lanes()[0].closed is None
    facts.crossed(segment(1, 0.3, UP, Kind.RESET))
    assert facts.lanes()[0].closed == at(0.3)


@given(
    st.lists(st.tuples(*[st.integers(0, 10**10)] * 3), max_size=5),
    st.integers(1, 300),
    st.integers(0, 10**10),
)
def test_any_times_give_rows_that_fit(times: list[tuple[int, int, int]], width: int, now: int) -> None:
    """Clocks of two processes may disagree: what comes later may seem to have come before."""
    lanes = [Lane(i, client(i), a, f"client {i}", None, b or None, c or None) for i, (a, b, c) in enumerate(times)]
    rows = render_boards([Board("model", tuple(lanes), now)], max(width, 24))
    assert all(len(row) <= max(width, 24) for row in rows)
    rows = render_boards([Board("model", tuple(lanes), now)] * 3, max(width, 60), beside=True)
    assert all(len(row) <= max(width, 60) for row in rows)


@given(
    st.integers(2, 200),
    st.integers(10**6, 10**12),
    st.integers(0, 10**12),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
)
def test_a_wait_that_the_words_tell_is_drawn_and_so_is_the_service(
    columns: int, length: int, opened: int, waited: int, served: int
) -> None:
    at_the_wire = opened % length
    each = Lane(1, client(1), at_the_wire, "", at_the_wire, at_the_wire + waited, at_the_wire + waited + served)
    row = cells(each, 0, length, columns, length)
    assert len(row) == columns
    assert GLYPHS[LanePhase.SERVED] in row
    assert (GLYPHS[LanePhase.QUEUED] in row) or each.words(length) == "waited 0 ms"
    assert (GLYPHS[LanePhase.QUEUED] not in row) or waited > 0


@given(st.integers(8, 4000), st.integers(1, 10**13))
def test_ticks_that_differ_have_labels_that_differ(columns: int, length: int) -> None:
    ruler, labels = axis(columns, length)
    told = labels.replace(" s", "").split()
    assert ruler.count("┬") == len(told) == len(set(told))
    assert len(ruler) == columns


@given(st.integers(1, 200), st.integers(1, 10**12))
def test_even_the_shortest_service_has_a_cell(columns: int, length: int) -> None:
    row = cells(Lane(1, client(1), 0, "", None, 0, 1), 0, length, columns, length)
    assert row[0] == GLYPHS[LanePhase.SERVED]
    assert len(row) == columns


def test_a_client_of_many_connections_has_its_name_on_each_and_connects_when_it_does() -> None:
    with Lab("wsgi") as lab:
        client = lab.connect()
        lanes: tuple[Lane, ...] = ()
        following = LiveLanes(lab)
        for number in (1, 2):
            client.run("get('/localtime')")
            wait_until(lambda number=number: len(lab.capture.flows) == number)
            lanes = following.board(0, lab.capture.segments).lanes
        assert [each.name for each in lanes] == ["client 1"] * 2
        for each in lanes:
            assert each.began is not None and each.opened - each.began < SECOND
        first, second = lanes
        assert first.began is not None and second.began is not None and first.began < second.began


def test_bytes_beside_a_flag_are_counted() -> None:
    facts = LaneBuilder()
    with Capture.of_file(CAPTURE_CASES / "syn_fin_rst_with_data.pcap") as capture:
        capture.grow()
        for segment in capture.segments:
            facts.crossed(segment)
        (lane,) = facts.lanes()
        assert (lane.to_server, lane.to_client, lane.closed) == (19, 29, capture.segments[1].time_ns)
