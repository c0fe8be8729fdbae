"""The status line: true, and never cut within a word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from netlab.capture.model import Endpoint
from netlab.lab.server_sockets import ServerSockets
from netlab.lab.state import Accounts, LabState, Phase, ProgramProgress
from netlab.lab.topic_options import Setting
from netlab.ui.tab.status import GAP, Banner, facts, fit, not_listening
from netlab.ui.widgets.formatting import Formatting, size

SERVER_AT = Endpoint("127.0.0.1", 41233)
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


def test_an_attachment_without_its_server_is_no_filled_dot() -> None:
    state = replace(SERVING, absent=SERVER_AT)
    whole = GAP.join(text for text, _ in fit(facts(state, Formatting(), attached=True), 120))
    assert whole.startswith("○ 127.0.0.1:20000 → 127.0.0.1:41233, nothing listens there  wire clean")
    for width in range(17, 120):
        assert line(state, width).startswith("○ ") and "nothing listens" in line(state, width)
    banner = Banner(Formatting())
    banner.watch_state(state)
    assert str(banner.render()) == "! Nothing listens at 127.0.0.1:41233: clients are refused until a server does"
    banner.watch_state(SERVING)
    assert str(banner.render()) == ""


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
    ("phase", "progress", "words"),
    [
        (Phase.STARTING, ProgramProgress(8000), "◔ starting"),
        (Phase.STARTING, ProgramProgress(8000, 12), "◔ starting, 12 s"),
        (Phase.STOPPING, ProgramProgress(8000, 0, kill_in=7), "◔ stopping, SIGKILL in 7 s; s kills it now"),
    ],
)
def test_a_program_that_starts_or_ends_says_how_far_it_is(phase: Phase, progress: ProgramProgress, words: str) -> None:
    assert line(LabState(phase, "as it is", progress=progress), 80).startswith(words)


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (ProgramProgress(8000, 2), ""),
        (ProgramProgress(8000, 12), "It is not listening on 8000 yet, 12 s; s stops it"),
        (ProgramProgress(0, 12), "It is not listening yet, 12 s; s stops it"),
        (ProgramProgress(8000, 3, (5000,)), "It listens on 5000, not on 8000; try --port 5000"),
        (ProgramProgress(80, 3, foreign=True), "Another program listens on 80; netlab attach 80 leads to that one"),
        (ProgramProgress(80, 3, kill_in=7), ""),
    ],
)
def test_a_program_that_does_not_listen_says_what_is_known(progress: ProgramProgress, words: str) -> None:
    assert not_listening(progress) == words


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (Phase.STOPPED, "stopped"),
        (Phase.STOPPING, "stopping"),
        (Phase.STARTING, "starting"),
        (Phase.FAILED, "could not start"),
        (Phase.DEAD, "died"),
    ],
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


def known(queue: int | None = None, pid: int | None = None, **sockets: object) -> str:
    """The line of a server of which the kernel says this."""
    seen = ServerSockets(SERVER_AT, **sockets)  # type: ignore[arg-type]  # whichever a test names
    return line(replace(SERVING, queue=queue, server_pid=pid, sockets=seen), 300)


@pytest.mark.parametrize(
    ("sockets", "words"),
    [
        ({"left": 2}, "2 clients left, not closed"),
        ({"direct": 3}, "3 not through the wire"),
        ({"drops": 1200, "datagrams_wait": True}, "datagrams wait  1,200 dropped by the kernel"),
        ({"name": "nginx"}, "server nginx"),
        ({"name": "docker-proxy", "forwarder": True}, "forwarder docker-proxy"),
        ({"unknown": "the kernel shows no listener there"}, "queue unknown: the kernel shows no listener there"),
    ],
)
def test_what_the_kernel_says_is_told_if_it_is_out_of_the_ordinary(sockets: dict[str, object], words: str) -> None:
    assert f"  {words}  " in known(**sockets)  # type: ignore[arg-type]  # likewise


def test_nothing_ordinary_is_told_and_a_derived_queue_is_told_as_such() -> None:
    assert known(1, 4242, name="python", left=0, direct=0) == line(replace(SERVING, queue=1, server_pid=4242), 300)
    assert "  queue ≈1/5  " in line(replace(SERVING, queue=1, queue_derived=True), 300)


@pytest.mark.parametrize(
    ("setting", "width", "words"),
    [
        (Setting("certificate", "good", usual=True), 120, "single  certificate good  wire → :41233"),
        (Setting("certificate", "good", usual=True), 80, "single  certificate good  queue 1/5  2 clients"),
        (Setting("certificate", "expired", usual=False), 120, "single  certificate expired  wire → :41233"),
        (Setting("certificate", "good", usual=True), 60, "single  queue 1/5"),
        (Setting("certificate", "expired", usual=False), 60, "model single  certificate expired"),
    ],
)
def test_what_the_server_was_started_with_stands_there_and_an_unusual_value_stays(
    setting: Setting, width: int, words: str
) -> None:
    assert words in line(replace(SERVING, settings=(setting,)), width)
