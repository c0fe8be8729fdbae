"""The reader's work as text: every width, any numbers."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from netlab.topics.zerocopy import drawing
from netlab.topics.zerocopy.client import WAYS, Comparison, Transfer

SIZE = 16 << 20
COSTS = {"concatenate": (0.055, 130.0, 2.0), "join": (0.0226, 2.0, 2.0), "slice": (0.0185, 2.0, 1.004)}


def compared():
    """The figures of one quiet afternoon."""
    found = []
    for way in WAYS:
        seconds, copied, peak = COSTS.get(way, (0.0136, 1.0, 1.0))
        transfer = Transfer(way, SIZE, [1 << 20] * 16, SIZE, int(copied * SIZE), 0, int(peak * SIZE), seconds)
        transfer.address = 0x7F5C30200000
        if way == "tutorial_concatenate":
            transfer.failure = 'TypeError: can only concatenate str (not "bytes") to str'
        if way == "tutorial_slices":
            transfer.copied *= 2
        found.append(transfer)
    return found


def test_bars_stand_for_multiples_and_say_when_they_go_on():
    lines = drawing.table(compared(), 78)
    rows = {line.split()[0]: line for line in lines[1:]}
    assert rows["recv_into"].split()[1:] == ["13.6", "ms", "██", "1.00", "×", "██", "1.00", "×", "██"]
    assert rows["join"].count("████") == 2
    assert "███████▶" in rows["concatenate"]
    assert "TypeError" in rows["tutorial_concatenate"]


def test_what_was_received_after_a_comparison_is_told_before_it():
    found = compared()
    running, last = replace(found[4], arrivals=[]), replace(found[-1])
    assert drawing.belongs(running, found[:4]), "the comparison is at it"
    assert drawing.belongs(last, found)
    assert not drawing.belongs(replace(found[-1], arrivals=[1 << 20]), found)
    assert not drawing.belongs(replace(running, size=SIZE * 2), found[:4])


def test_a_comparison_fits_beside_the_other_panes_at_120_columns():
    rows = [line for line in repr(Comparison(compared())).splitlines() if "Error" not in line]
    assert max(map(len, rows)) <= 42


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
    assert "no buffer yet" in drawing.memory_line(transfer)
    transfer.address = 0x1000
    assert drawing.memory_line(transfer) == "memory at 0x1000, the same since the first byte"
    transfer.moves = 3
    assert "moved 3 times" in drawing.memory_line(transfer)
