"""Reports of where a server stands become values, whatever is in them, and words."""

from __future__ import annotations

import time

import pytest

from netlab.capture.model import Endpoint
from netlab.lab import Lab
from netlab.lab.standing.standings import Place, Stand, StandingReports, Standings
from netlab.lab.standing.words import names, who
from tests.support.waiting import wait_until

SERVER, CHILD = 10, 11
A, B = Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2)


def report(pid: int, *peers: Endpoint, children: tuple[int, ...] = (), more: bool = False) -> dict[str, object]:
    stands = [
        {"at": [["tcp/s.py", 7, "", "handle"]], "what": "process", "peers": [list(p) for p in peers], "others": 0}
    ]
    return {"pid": pid, "children": list(children), "left_out": 1, "stands": stands, "more": more}


def test_parts_count_once_the_last_has_come_and_a_child_that_has_ended_no_more() -> None:
    reports = StandingReports()
    reports.take(report(CHILD, A, more=True), SERVER)
    assert reports.latest is None
    reports.take(report(CHILD, B), SERVER)
    assert reports.latest is not None and reports.latest.clients == {A, B} and reports.latest.left_out == 1
    reports.take(report(SERVER, children=(CHILD,)), SERVER)
    assert reports.latest.clients == {A, B}
    reports.take(report(SERVER), SERVER)
    assert reports.latest.clients == frozenset()


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"pid": "x"},
        {"pid": 1, "stands": 5, "children": "no", "left_out": None},
        {"pid": 1, "stands": [{"at": [[1, 2], "x", ["f", 1, "", "m"]], "what": "\x1b[2J", "peers": [["\x1b]0;", 3]],
                               "others": 0}]},
    ],
)  # fmt: skip
def test_a_report_that_is_not_as_it_should_be_harms_nobody(message: dict[str, object]) -> None:
    reports = StandingReports()
    reports.take(message, 1)
    assert "\x1b" not in repr(reports.latest)


def test_words() -> None:
    at = (Place("tcp/s.py", 7),)
    naming = {A: "client 1", B: "client 2"}.get

    def name(client: Endpoint) -> str:
        return naming(client) or str(client)

    assert who([Stand(at, "thread", (B, A))], name) == "clients 1, 2"
    assert who([Stand(at, "thread", (A,)), Stand(at, "thread", others=6)], name) == "client 1, 6 threads"
    assert who([Stand(at, "main", others=1)], name) == "the main thread"
    assert names([Endpoint("10.0.0.1", port) for port in range(9)], name, 2) == "10.0.0.1:0, 10.0.0.1:1 and 7 more"


def test_a_lab_knows_its_clients_by_name_who_stands_where_and_who_waits() -> None:
    def seen() -> Standings:
        lab.watch_standing("test", True)
        return lab.standing or Standings()

    with Lab("tcp", model="single") as lab:
        served, waiting = lab.connect(), lab.connect("slow")
        wait_until(lambda: seen().clients and seen().waiting, "both are known")
        assert [lab.name_of(client) for client in seen().clients] == [served.name]
        assert [lab.name_of(client) for client in seen().waiting] == ["slow"]
        lab.watch_standing("another", True)
        lab.watch_standing("test", False)
        assert lab.standing is not None
        lab.set_model("pool")
        again = lab.connect()
        wait_until(lambda: again.local in seen().clients, "the new server reports, too")
        assert not seen().waiting and waiting.local not in seen().clients
        for who_looks in ("test", "another"):
            lab.watch_standing(who_looks, False)
        deadline = time.monotonic() + 10
        assert lab.standing is None and time.monotonic() < deadline
