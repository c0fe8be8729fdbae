from __future__ import annotations

from netlab.lab.bounded_log import BoundedLog


def test_it_keeps_the_newest_and_counts_the_rest() -> None:
    tail: BoundedLog[int] = BoundedLog(3)
    for number in range(5):
        tail.append(number)
    assert list(tail) == [2, 3, 4]
    assert (tail[0], tail[-1], list(tail[1:])) == (2, 4, [3, 4])
    assert (len(tail), tail.total, tail.forgotten) == (3, 5, 2)


def test_a_reader_gets_what_is_new_and_can_tell_what_it_missed() -> None:
    tail: BoundedLog[int] = BoundedLog(3)
    tail.append(0)
    assert tail.since(0) == ([0], 1)
    assert tail.since(1) == ([], 1)
    for number in range(1, 7):
        tail.append(number)
    new, position = tail.since(1)
    assert (new, position) == ([4, 5, 6], 7)
    assert position - len(new) - 1 == 3  # missed
