"""Each fault by itself, under a scripted clock: what goes in, what comes out, and when."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment import catalog
from netlab.wire.impairment.impairment_lane import ImpairmentLane, Leaving
from netlab.wire.impairment.quantities import size
from netlab.wire.impairment.queues import OvertakingQueue

TCP, UDP = Transport.TCP, Transport.UDP


def run(spec, segments, transport=TCP, seed=0, ends=math.inf):
    """What leaves a lane under these faults, as (time, departure), with segments as (time, bytes)."""
    specs = [spec] if isinstance(spec, str) else spec
    lane = ImpairmentLane(catalog.chain(specs, transport), transport, Direction.TO_SERVER, 1, seed)
    left = []

    def until(clock):
        while lane.next_release <= clock:
            at = lane.next_release
            left.extend((at, departure) for departure in lane.leave(at))

    for time, payload in segments:
        until(time)
        lane.enter(payload, time)
        left.extend((time, departure) for departure in lane.leave(time))
    until(ends if ends != math.inf else 1e9)
    return left


def arrived(left):
    return b"".join(bytes(departure.payload) for _, departure in left if departure.what is Leaving.BYTES)


def fates(left):
    return [departure.fate for _, departure in left]


def test_delay_holds_each_segment_by_the_same_time_and_says_so():
    left = run("delay 100ms", [(0.0, b"a"), (1.0, b"b")])
    assert [time for time, _ in left] == pytest.approx([0.1, 1.1])
    assert fates(left) == ["held 100 ms"] * 2


def test_delay_may_spread():
    times = [time for time, _ in run("delay 100ms±50ms", [(n, b"a") for n in range(50)])]
    held = [time - n for n, time in enumerate(times)]
    assert 0.05 <= min(held) < 0.07
    assert 0.13 < max(held) <= 0.15


def test_jitter_keeps_a_streams_order_and_lets_datagrams_overtake():
    segments = [(n / 1000, bytes([n])) for n in range(50)]
    in_order = bytes(range(50))
    assert arrived(run("jitter 50ms", segments)) == in_order
    overtaken = arrived(run("jitter 50ms", segments, UDP))
    assert overtaken != in_order
    assert sorted(overtaken) == list(range(50))


def test_loss_drops_and_says_so():
    left = run("loss first 2", [(n, bytes([n])) for n in range(4)], UDP)
    assert [departure.what for _, departure in left] == [Leaving.DROPPED] * 2 + [Leaving.BYTES] * 2
    assert arrived(left) == b"\x02\x03"


def test_a_probability_is_met_and_a_seed_repeats_it():
    segments = [(n, b"x") for n in range(2000)]

    def lost(seed):
        return [departure.what is Leaving.DROPPED for _, departure in run("loss 30%", segments, UDP, seed=seed)]

    assert 500 < sum(lost(1)) < 700
    assert lost(1) == lost(1)
    assert lost(1) != lost(2)


def test_duplicate_sends_twice():
    left = run("duplicate every 2", [(0, b"a"), (1, b"b")], UDP)
    assert arrived(left) == b"abb"
    assert fates(left) == ["", "", "duplicate"]


def test_reorder_lets_later_ones_ahead_or_goes_on_by_itself():
    assert arrived(run("reorder 2 first 1", [(0, b"a"), (0.1, b"b"), (0.2, b"c"), (0.3, b"d")], UDP)) == b"bcad"
    assert run("reorder first 1", [(0, b"a")], UDP)[0][0] == pytest.approx(1.0)


def test_throttle_lets_a_rate_through():
    left = run("throttle 1000/s", [(0.0, bytes(2000))])
    assert left[-1][0] == pytest.approx(1.95, abs=0.06)
    for time, _ in left:
        passed = sum(len(departure.payload) for at, departure in left if at <= time)
        assert passed <= 50 + 1000 * time + 50


def test_throttle_saves_no_more_than_its_bucket_while_nothing_comes():
    left = run("throttle 1000/s", [(0.0, b"x"), (100.0, bytes(1000))])
    assert left[-1][0] == pytest.approx(100.95, abs=0.06)


def test_slice_cuts_into_pieces_with_a_gap():
    left = run("slice 2", [(0.0, b"Hello")])
    assert [bytes(departure.payload) for _, departure in left] == [b"He", b"ll", b"o"]
    assert fates(left)[0] == "piece 1 of 3"
    assert left[1][0] - left[0][0] >= 0.0009


def test_slicing_much_takes_bounded_time():
    assert run("slice 1", [(0.0, bytes(20_000))])[-1][0] <= 0.51


def test_corrupt_flips_one_bit_and_keeps_what_it_was():
    ((_, departure),) = run("corrupt bit 3 byte 1", [(0, b"abc")])
    assert bytes(departure.payload) == b"a" + bytes([ord("b") ^ 8]) + b"c"
    assert bytes(departure.original) == b"abc"
    assert departure.fate == "bit 3 of byte 1 flipped"


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=100), st.integers(0, 1000))
def test_corrupt_anywhere_is_one_bit(payload, seed):
    ((_, departure),) = run("corrupt", [(0, payload)], seed=seed)
    changed = int.from_bytes(payload, "big") ^ int.from_bytes(departure.payload, "big")
    assert changed.bit_count() == 1


def test_stall_holds_the_rest_for_a_time_or_until_cleared():
    left = run("stall 2s after 3", [(0, b"Hello")])
    assert [(time, bytes(departure.payload)) for time, departure in left] == [(0, b"Hel"), (2, b"lo")]
    lane = ImpairmentLane(catalog.chain(["stall"]), TCP, Direction.TO_SERVER, 1)
    lane.enter(b"Hello", 0.0)
    assert lane.leave(1e6) == []
    lane.release()
    assert [bytes(departure.payload) for departure in lane.leave(1e6)] == [b"Hello"]


@pytest.mark.parametrize(
    ("spec", "what"), [("cut after 8", Leaving.CLOSE), ("cut 8", Leaving.CLOSE), ("reset after 8", Leaving.RESET)]
)
def test_cut_and_reset_end_in_the_middle(spec, what):
    left = run(spec, [(0, b"Hello"), (1, b"World"), (2, b"never")])
    assert arrived(left) == b"HelloWor"
    assert left[-1][1].what is what


def test_faults_combine_in_order():
    left = run(["slice 2", "delay 100ms"], [(0.0, b"Hello")])
    assert left[0][0] == pytest.approx(0.1)
    assert fates(left)[0] == "piece 1 of 3, held 100 ms"
    assert arrived(left) == b"Hello"


LOSSLESS = ["delay 10ms±10ms", "jitter 20ms", "throttle 100KiB/s", "slice 3", "stall 1s after 10", "delay 1ms 50%"]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(LOSSLESS), max_size=3),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=300)), max_size=12),
    st.integers(0, 5),
)
def test_a_stream_leaves_as_it_came_under_every_fault_that_promises_it(specs, segments, seed):
    segments = sorted((time, payload) for time, payload in segments)
    left = run(specs, segments, seed=seed)
    assert arrived(left) == b"".join(payload for _, payload in segments)
    times = [time for time, _ in left]
    assert times == sorted(times)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["delay 10ms±10ms", "jitter 20ms", "reorder 2 50%", "throttle 100KiB/s"]), max_size=3),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=300)), max_size=12),
)
def test_datagrams_leave_whole_and_once(specs, segments):
    segments = sorted((time, payload) for time, payload in segments)
    left = run(specs, segments, UDP)
    assert sorted(bytes(departure.payload) for _, departure in left) == sorted(payload for _, payload in segments)


SEGMENTS = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=300)), max_size=12).map(sorted)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["corrupt", "corrupt 50%", "corrupt byte 3"]), SEGMENTS, st.sampled_from([TCP, UDP]))
def test_corrupt_keeps_lengths_and_order(spec, segments, transport):
    left = [departure for _, departure in run(spec, segments, transport)]
    assert [len(departure.payload) for departure in left] == [len(payload) for _, payload in segments]
    originals = [bytes(each.payload if each.original is None else each.original) for each in left]
    assert originals == [payload for _, payload in segments]


@settings(max_examples=100, deadline=None)
@given(SEGMENTS, st.integers(0, 5))
def test_loss_and_duplicate_add_and_take_whole_datagrams_in_their_order(segments, seed):
    came = [payload for _, payload in segments]
    lost = run("loss 50%", segments, UDP, seed=seed)
    assert [bytes(departure.payload) for _, departure in lost] == came, "each arrives, or is told as dropped"
    twice = [bytes(departure.payload) for _, departure in run("duplicate", segments, UDP, seed=seed)]
    assert twice == [payload for payload in came for _ in range(2)]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["cut", "reset"]), st.integers(0, 900), st.lists(st.sampled_from(LOSSLESS), max_size=2), SEGMENTS
)
def test_cut_and_reset_let_exactly_the_beginning_through(name, passed, before, segments):
    whole = b"".join(payload for _, payload in segments)
    left = run([*before, f"{name} after {passed}"], segments)
    assert arrived(left) == whole[:passed]
    ended = [departure for _, departure in left if departure.what in (Leaving.CLOSE, Leaving.RESET)]
    assert len(ended) == (len(whole) > passed)
    assert not ended or left[-1][1] is ended[0]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 0.5),
            st.binary(max_size=100) | st.lists(st.sampled_from([*LOSSLESS, "stall", "stall after 9"]), max_size=2),
        ),
        max_size=30,
    )
)
def test_a_stream_leaves_as_it_came_however_often_the_faults_are_replaced(script):
    """As a pipe does it: what the old lane holds leaves before anything enters the new one."""
    lane, left, clock = ImpairmentLane([], TCP, Direction.TO_SERVER, 1), [], 0.0
    for wait, what in script:
        clock += wait
        left += lane.leave(clock)
        if isinstance(what, bytes):
            lane.enter(what, clock)
        else:
            lane.release()
            left += lane.leave(clock)
            assert lane.held == 0
            lane = ImpairmentLane(catalog.chain(what, TCP), TCP, Direction.TO_SERVER, 1)
    lane.finish(clock)
    lane.release()
    left += lane.leave(clock)
    assert b"".join(bytes(each.payload) for each in left) == b"".join(w for _, w in script if isinstance(w, bytes))
    assert [each.what for each in left if each.what is not Leaving.BYTES] == [Leaving.FIN]
    assert lane.held == 0


@pytest.mark.parametrize(
    "specs", [["reorder 1 every 2"], ["delay 600s 50%", "reorder 1 50%"], ["jitter 5ms", "reorder"]]
)
def test_datagrams_that_overtake_leave_nothing_behind(specs):
    lane = ImpairmentLane(catalog.chain(specs, UDP), UDP, Direction.TO_SERVER, 1)
    for n in range(5_000):
        lane.enter(b"x", n / 10_000)
        lane.leave(n / 10_000)
    queue = lane.queue
    assert isinstance(queue, OvertakingQueue) and queue.entries <= 3 * len(queue) + 64
    lane.leave(1e6)
    assert lane.held == 0 and lane.empty and not queue.entries


def test_nothing_stays_inside():
    lane = ImpairmentLane(catalog.chain(["slice 1", "delay 5ms", "throttle 1MiB/s"]), TCP, Direction.TO_SERVER, 1)
    for n in range(100):
        lane.enter(bytes(50), n / 100)
        lane.leave(n / 100)
    lane.leave(1e6)
    assert lane.held == 0
    assert lane.empty


@pytest.mark.parametrize(
    ("spec", "transport", "says"),
    [
        ("loss 10%", TCP, "stall"),
        ("duplicate", TCP, "throws away"),
        ("reorder", TCP, "in order again"),
        ("slice 1", UDP, "whole or not at all"),
        ("cut", UDP, "no connection"),
        ("reset", UDP, "no connection"),
    ],
)
def test_what_would_be_a_lie_is_refused_and_explained(spec, transport, says):
    with pytest.raises(ValueError, match=says):
        catalog.parse(spec, transport)


@pytest.mark.parametrize(
    "spec",
    ["", "delay", "delay soon", "delay 1ms 2ms", "loss 130%", "loss first", "loss every 0", "slice 0", "slice x",
     "throttle 0/s", "corrupt bit 9 byte 1", "corrupt nibble 3", "stall forever", "cut before 3", "delay 9999s",
     "nonsense", "loss 5", "duplicate 2", "noop 1", "reorder 0", "reorder 1001", "reorder 1 2", "stall 1s 2s",
     "slice 1 2", "jitter", "throttle 1 2", "corrupt byte", "corrupt bit 8 byte 0"],
)  # fmt: skip
def test_what_is_not_understood_is_a_sentence(spec):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        catalog.parse(spec)


SIZES = {"7": 7, "7b": 7, "1.5k": 1500, "2KB": 2000, "64KiB": 65536, "3m": 3_000_000, "3MB": 3_000_000,
         "2MiB": 2 << 20, "1GB": 10**9, "1gib": 1 << 30}  # fmt: skip


@pytest.mark.parametrize(("written", "count"), SIZES.items())
def test_sizes_are_what_their_units_say(written, count):
    assert size(written) == count


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=40)
    | st.builds(lambda name, rest: f"{name} {rest}", st.sampled_from(catalog.names()), st.text(max_size=20))
)
def test_any_words_are_a_fault_or_a_sentence(spec):
    try:
        catalog.parse(spec)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize("name", catalog.names())
def test_every_kind_begins_with_its_example(name):
    kind = catalog.kind_named(name)
    for transport in kind.transports:
        assert catalog.parse(f"{name} {kind.example}", transport) is not None
    assert kind.why_not or len(kind.transports) == 2


def test_slow_close_holds_the_end_alone_and_says_so():
    lane = ImpairmentLane(catalog.chain(["slow_close 2s"], TCP), TCP, Direction.TO_SERVER, 1)
    lane.enter(b"all of it", 0.0)
    lane.finish(1.0)
    assert arrived([(0.0, each) for each in lane.leave(1.0)]) == b"all of it"
    assert (lane.leave(2.9), lane.next_release) == ([], 3.0)
    (end,) = lane.leave(3.0)
    assert (end.what, end.fate) == (Leaving.FIN, "held 2000 ms")


def test_each_fault_that_holds_the_end_is_named():
    lane = ImpairmentLane(catalog.chain(["delay 100ms", "slow_close 2s"], TCP), TCP, Direction.TO_SERVER, 1)
    lane.finish(0.0)
    (end,) = lane.leave(2.1)
    assert end.fate == "held 100 ms, held 2000 ms"


def test_a_share_of_the_flows_is_impaired_in_full_the_others_not_at_all():
    chain = catalog.chain(["delay 1s 30% flows", "slow_close 2s 100% flows", "delay 4s 0% flows"], TCP)
    held = []
    for flow in range(200):
        lane = ImpairmentLane(chain, TCP, Direction.TO_SERVER, flow, seed=1)
        for number in range(3):
            lane.enter(b"x", float(number))
        lane.finish(3.0)
        left = [(at, each) for at in range(8) for each in lane.leave(float(at))]
        assert [at - number for number, (at, each) in enumerate(left[:3])] in ([0, 0, 0], [1, 1, 1])
        held.append(left[0][0])
        assert left[3][0] == 5 + held[-1]
    assert 40 < sum(held) < 80


def test_a_share_of_the_flows_and_of_their_segments():
    assert str(catalog.parse("cut 50% flows first 3 each ->")) == "cut 50% flows first 3 each →"
    counted = run("delay 1s 100% flows every 2", [(0.0, b"a"), (0.0, b"b"), (5.0, b"c")])
    assert [at for at, _ in counted] == [0.0, 1.0, 5.0]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("cut flows", "write flows after a share: 30% flows"),
        ("slow_close 2s 30%", "slow_close acts on the end of a stream, not on some of its segments; write 30% flows"),
        ("cut 101% flows", "101% is more than all of them"),
    ],
)
def test_a_share_that_is_written_wrong(spec, problem):
    with pytest.raises(ValueError, match=problem):
        catalog.parse(spec, TCP)
