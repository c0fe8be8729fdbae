"""The reader's work as text: every width, any numbers."""

from hypothesis import given
from hypothesis import strategies as st

from netlab.topics.zerocopy import drawing
from netlab.topics.zerocopy.compare import MOST_QUADRATIC, RUNS, Comparison
from netlab.topics.zerocopy.transfer import Transfer
from netlab.topics.zerocopy.ways import QUADRATIC, WAYS

SIZE = 16 << 20
COSTS = {"concatenate": (0.055, 130.0, 2.0), "join": (0.0226, 2.0, 2.0), "slice": (0.0185, 2.0, 1.004)}


def compared():
    """The figures of one quiet afternoon."""
    found = []
    for way in WAYS:
        seconds, copied, peak = COSTS.get(way, (0.0136, 1.0, 1.0))
        transfer = Transfer(way, SIZE, [1 << 20] * 16, SIZE, int(copied * SIZE), 0, int(peak * SIZE), seconds)
        transfer.processor = seconds / 4
        transfer.address = 0x7F5C30200000
        if way == "tutorial_concatenate":
            transfer.failure = 'TypeError: can only concatenate str (not "bytes") to str'
        if way == "tutorial_slices":
            transfer.copied *= 2
        found.append(transfer)
    return found


def test_bars_stand_for_multiples_and_say_when_they_go_on():
    lines = drawing.table(compared(), 94)
    rows = {line.split()[0]: line for line in lines[1:]}
    assert rows["recv_into"].split()[1:] == [
        "3.40",
        "ms",
        "██",
        "13.6",
        "ms",
        "██",
        "1.00",
        "×",
        "██",
        "1.00",
        "×",
        "██",
    ]
    assert rows["join"].count("████") == 2
    assert "███████▶" in rows["concatenate"]
    assert "TypeError" in rows["tutorial_concatenate"]


def test_a_comparison_fits_beside_the_other_panes_at_120_columns():
    rows = [line for line in repr(Comparison(compared())).splitlines() if "Error" not in line]
    assert max(map(len, rows)) <= 42


def test_a_comparison_has_the_medians_of_both_times_in_the_order_of_the_ways():
    found = Comparison()
    for milliseconds in (9, 3, 5, 4, 100):
        for way in ("recv_into", "join"):
            found.add(Transfer(way, 10, seconds=milliseconds / 1000, processor=milliseconds / 10_000))
    assert [(each.way, each.seconds, each.processor) for each in found] == [
        ("join", 0.005, 0.0005),
        ("recv_into", 0.005, 0.0005),
    ]
    assert found.runs == 5
    told = " ".join(repr(found).splitlines()[-4:])
    assert "Medians of 5 interleaved runs" in told and "relay and screen" in told and "this thread's own work" in told


def planned(found, size):
    return [way for way, _ in found.plan(size)]


class Settled(Comparison):
    """One whose medians are apart from the beginning, or never."""

    def __init__(self, at_once):
        super().__init__()
        self.at_once = at_once

    def settled(self):
        return self.at_once


@given(st.sampled_from([1, 1 << 20, 1 << 24, 1 << 25, 1 << 26, 1 << 28, 1 << 30]))
def test_ways_take_turns_and_all_run_equally_often_but_those_that_take_long(size):
    plan = planned(Settled(True), size)
    often = {way: plan.count(way) for way in WAYS}
    ordinary = {count for way, count in often.items() if way not in QUADRATIC}
    assert len(ordinary) == 1 and ordinary.pop() % 2 == 1
    assert all(often[way] <= 1 for way in QUADRATIC)
    assert size <= MOST_QUADRATIC or not any(often[way] for way in QUADRATIC)
    assert sum(size for way in plan) <= 32 << 30
    assert len({tuple(plan[at : at + 2]) for at in range(len(plan) - 1)}) >= 6, "no way always comes after the same"


def test_more_rounds_follow_until_the_medians_are_apart_and_not_without_end():
    once, often = planned(Settled(True), 1 << 20), planned(Settled(False), 1 << 20)
    assert often[: len(once)] == once
    assert (once.count("slice"), often.count("slice")) == RUNS[1 << 20]
    assert all(often.count(way) == 1 for way in QUADRATIC)
    totals = [total for _, total in Settled(False).plan(1 << 20)]
    assert totals == sorted(totals) and totals[0] == len(once) and totals[-1] == len(often)


def costing(*costs):
    """Runs of one way that copies once, and one that copies twice; the processor time of each run."""
    found = Comparison()
    for once, twice in costs:
        found.add(Transfer("recv_into", 10, copied=10, processor=once))
        found.add(Transfer("slice", 10, copied=20, processor=twice))
    return found


def test_a_comparison_is_settled_once_the_medians_are_surely_apart_whichever_is_lower():
    apart, close = [(1.0 + n / 100, 2.0 + n / 100) for n in range(31)], [(1.0 + n, 1.5 + n) for n in range(31)]
    assert costing(*apart).settled()
    assert costing(*((twice, once) for once, twice in apart)).settled()
    assert not costing(*close).settled()
    outliers = [(9.0, 0.1) if n % 8 == 0 else costs for n, costs in enumerate(apart)]
    assert costing(*outliers).settled()


@given(st.integers(20, 200))
def test_no_line_is_wider_than_the_pane(width):
    transfers = compared()
    lines = drawing.table(transfers, max(width, 60)) + drawing.arrived_lines(transfers[-1], max(width, 60))
    assert all(len(line) <= max(width, 60) for line in lines)


@given(st.lists(st.integers(1, 1000), max_size=40), st.integers(0, 1000), st.integers(1, 100))
def test_the_bar_shows_what_is_here_and_what_is_not(arrivals, more, width):
    filled, size = sum(arrivals), sum(arrivals) + more
    bar = drawing.arrival_bar(arrivals, size, width)
    assert len(bar) == width
    for cell, sign in enumerate(bar):
        assert (sign == "·") == ((cell + 0.5) * size / width >= filled)


def test_each_piece_is_as_long_as_it_is():
    assert drawing.arrival_bar([4, 2, 1], 10, 10) == "████▒▒█···"


def test_where_the_memory_is():
    transfer = Transfer("recv_into", 10)
    assert drawing.memory_line(transfer) == "the buffer is being made"
    assert "one by one in a list" in drawing.memory_line(Transfer("join", 10, [4], 4))
    transfer.address = 0x1000
    assert drawing.memory_line(transfer) == "memory at 0x1000, the same since the first byte"
    transfer.moves = 3
    assert "moved 3 times" in drawing.memory_line(transfer)
