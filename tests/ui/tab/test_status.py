"""The status line: true, and never cut within a word."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from netlab.capture.model import Endpoint
from netlab.lab.state import Accounts, LabState, Phase
from netlab.ui.tab.status import GAP, facts, fit
from netlab.ui.widgets.formatting import Formatting, size

SERVING = LabState(
    Phase.SERVING,
    "single",
    Endpoint("127.0.0.1", 20000),
    Endpoint("127.0.0.1", 41233),
    queue=1,
    backlog=5,
    threads=1,
    processes=1,
    accounts=Accounts(open_flows=2, to_server=600, to_client=600),
)


def line(state: LabState, width: int) -> str:
    return GAP.join(text for text, _ in fit(facts(state, Formatting()), width))


def test_all_of_it_where_there_is_room() -> None:
    server = "● serving 127.0.0.1:20000  model single  wire clean → :41233  queue 1/5  2 clients  1.2 kB"
    assert line(SERVING, 120) == server + "  1 thread  1 process"


def test_at_80_columns_the_queue_the_clients_and_the_bytes_remain() -> None:
    assert line(SERVING, 80) == "● serving 127.0.0.1:20000  single  wire → :41233  queue 1/5  2 clients  1.2 kB"


@pytest.mark.parametrize("width", range(8, 130))
def test_it_fits_and_keeps_whole_words(width: int) -> None:
    shown = line(SERVING, width)
    whole = {word for part in facts(SERVING, Formatting()) for form in part.forms for word in form.split()}
    assert set(shown.split()) <= whole
    assert cell_len(shown) <= width or shown == "● 127.0.0.1:20000"


def test_many_threads_outlast_the_bytes() -> None:
    state = LabState(**{**{name: getattr(SERVING, name) for name in LabState.__slots__}, "threads": 101})
    assert "101 threads" in line(state, 78)


@pytest.mark.parametrize(
    ("phase", "words"),
    [(Phase.STOPPED, "stopped"), (Phase.STARTING, "starting"), (Phase.FAILED, "could not start"), (Phase.DEAD, "died")],
)
def test_each_phase_is_told_in_words(phase: Phase, words: str) -> None:
    assert words in line(LabState(phase, "single"), 80)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1200, "1.2 kB"), (99_950, "100 kB"), (999_600, "1.0 MB"), (3 * 10**12, "3.0 TB")],
)
def test_sizes(count: int, shown: str) -> None:
    assert size(count) == shown


def impaired(*faults: str) -> LabState:
    return LabState(**{**{name: getattr(SERVING, name) for name in LabState.__slots__}, "faults": faults})


def test_active_faults_stand_in_the_line() -> None:
    assert "wire: delay 100 ms → · slice 1  queue 1/5" in line(impaired("delay 100ms →", "slice 1"), 120)


def test_faults_that_have_no_room_are_counted() -> None:
    many = impaired(*["corrupt bit 3 byte 7 every 2 →"] * 3)
    assert "wire: 3 faults" in line(many, 80)
    assert "wire: 3 faults" in line(many, 60)
