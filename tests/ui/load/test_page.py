"""What the load pane shows, as text: no row needs colour, none is too wide, and each says what the values say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.capture.model import Transport
from netlab.load.plan import PlainBytes
from netlab.load.points import Point
from netlab.ui.load.page import LoadPage, LoadView, page
from netlab.ui.load.shown_run import ShownRun
from netlab.ui.load.time_axis import TimeWindow
from tests.ui.load.made_runs import plan, point, shown, steady, two_models

WHOLE = TimeWindow()


def row(of: LoadPage, name: str) -> str:
    return next(line for line in of.text.split("\n") if line.lstrip().startswith(name))


@pytest.mark.parametrize("view", LoadView)
@pytest.mark.parametrize("size", [(76, 33), (77, 12), (77, 20), (116, 35), (30, 8), (200, 50)])
@pytest.mark.parametrize("zoom", [1, 8])
def test_it_fits_its_room(view: LoadView, size: tuple[int, int], zoom: int) -> None:
    found = page(two_models(), 1, view, TimeWindow(zoom), size)
    assert max(map(len, found.text.split("\n"))) <= size[0]
    assert len(found.rows) <= max(size[1], 20)
    for name in ("rate", "latency"):
        assert row(found, name)


def test_percentiles_errors_and_rates_of_the_last_runs_stand_in_a_table() -> None:
    found = page(two_models(), 0, LoadView.ONE, WHOLE, (76, 30))
    assert row(found, "p50").split() == ["p50", "p99", "p99.9", "max", "rate", "errors"]
    assert row(found, "▸A single").split()[2:] == ["2.1", "ms", "310", "ms", "820", "ms", "1.2", "s", "198/s", "15"]
    assert row(found, "B threading").split()[2:4] == ["1.8", "ms"]
    assert "✗ errors: 13 × timed out; 2 × connection reset" in found.text


def test_a_wide_table_names_the_load_of_each_run() -> None:
    assert row(page(two_models(), 0, LoadView.ONE, WHOLE, (116, 30)), "▸A").endswith("20 clients, 200/s for 10 s")


def test_a_stall_is_a_gap_in_the_latency_and_the_queue_is_full_meanwhile() -> None:
    found = page(two_models(), 0, LoadView.ONE, WHOLE, (76, 25))
    queue, low = row(found, "queue"), row(found, "2 ms")
    assert "max 5" in queue and "max 1" in row(found, "threads") and "max 25 B" in row(found, "unread")
    stall = [column for column in range(8, 60) if low[column] == " "]
    assert stall and stall == list(range(stall[0], stall[-1] + 1))
    assert {queue[column] for column in stall} == {"▇"}
    assert found.axis.time(stall[0] - 8) + 0.2 > 3.0 and found.axis.time(stall[-1] - 8) < 4.6


def test_two_runs_stand_beside_each_other_on_the_same_scale() -> None:
    found = page(two_models(), 1, LoadView.BESIDE, WHOLE, (77, 30))
    assert "A single" in found.text and "B threading" in found.text
    assert row(found, "threads").split() == ["threads│", *row(found, "threads").split()[1:]]
    assert "max 1" in row(found, "threads") and "max 21" in row(found, "threads")
    assert row(found, "threads").index("▇") > 40, "one thread of 21 is no high bar"


def test_runs_laid_over_each_other_are_told_apart_by_their_letters() -> None:
    found = page(two_models(), 1, LoadView.OVER, WHOLE, (77, 30))
    assert "A 1" in row(found, "threads") and set(row(found, "threads")[8:60]) <= set("AB* ")
    assert "p99 310 ms" in found.text and "p99 7.2 ms" in found.text
    assert row(found, "capital") == "capital p99  small p50  * several in one place"


def test_what_nobody_knows_is_unknown_and_no_zero() -> None:
    run = shown("A", "mailer", [point(number / 10, 0.001, queue=None) for number in range(1, 21)])
    found = page((run,), 0, LoadView.ONE, WHOLE, (77, 30))
    assert "unknown" in row(found, "queue") and "unknown" in row(found, "unread")


def test_a_forking_server_shows_its_processes() -> None:
    run = shown("A", "forking", [each._replace(threads=1, processes=21) for each in steady()])
    found = page((run,), 0, LoadView.ONE, WHOLE, (77, 30))
    assert "max 21" in row(found, "procs") and "threads" not in found.text


@pytest.mark.parametrize("points", [[], [point(0.1, None)], steady()[:7]])
@pytest.mark.parametrize("view", LoadView)
def test_a_run_that_has_just_begun_is_shown(points: list[Point], view: LoadView) -> None:
    begun = ShownRun("C", "pool", plan(), points)
    found = page((*two_models(), begun), 2, view, WHOLE, (77, 30))
    assert "▸C pool ◔" in found.text


def test_a_later_answer_lengthens_the_axis() -> None:
    late = replace(two_models()[0], points=[*steady(), point(13.0, 2.0)])
    assert page((late,), 0, LoadView.ONE, WHOLE, (77, 30)).axis.length == 13.0


def test_remarks_and_warnings_are_whole_sentences_below() -> None:
    first, _ = two_models()
    assert first.result is not None
    early = replace(first, result=replace(first.result, complete=False, seconds=3.2), remarks=("✗ the server died",))
    text = page((early,), 0, LoadView.ONE, WHOLE, (77, 30)).text
    assert "! the load was ended after 3.2 of 10 s" in text and "✗ the server died" in text


def test_what_does_not_fit_ends_in_dots() -> None:
    runs = tuple(shown(letter, "the_longest_name_of_a_server.py", steady()) for letter in "AB")
    lines = page(runs, 1, LoadView.BESIDE, WHOLE, (60, 30)).text.splitlines()
    assert any(line.startswith("▸B the_longest…") for line in lines)
    assert any("A the_longest_name_of_a_… B" in line for line in lines)


def test_udp_has_no_accept_queue() -> None:
    datagrams = replace(plan(), operation=PlainBytes(b"Hello", transport=Transport.UDP))
    run = replace(shown("A", "single", [point(0.1, 0.002, queue=None)]), plan=datagrams)
    text = page((run,), 0, LoadView.ONE, WHOLE, (77, 30)).text
    assert "threads" in text and "queue" not in text and "unread" not in text


def test_letters_of_a_peer_cannot_reach_the_screen() -> None:
    bad = shown("A", "single", steady(), errors={"OSError: \x1b[2J": 1})
    assert "\x1b" not in page((bad,), 0, LoadView.ONE, WHOLE, (77, 30)).text
