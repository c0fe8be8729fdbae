"""The server's log names clients as they connected, not the wire's own addresses; facts of flows."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from netlab.capture.model import Endpoint
from netlab.lab import Lab
from netlab.lab.processes import flow_table
from netlab.lab.processes.flow_table import FLOWS_KEPT, LINES_HELD, FlowRecord, FlowTable, LogTranslator
from netlab.lab.state import LogLine
from netlab.topics.peer_event import PeerEvent, PeerEventKind
from tests.support.waiting import wait_until


class Told:
    """A server and a wire that say what a test wants."""

    def __init__(self, patience: float = 60.0) -> None:
        self.book, self.shown = FlowTable(), list[str]()
        self.names = LogTranslator(self.book, lambda line: self.shown.append(line.text), patience)

    def log(self, text: str) -> None:
        peer = _peer(text)
        event = PeerEvent(PeerEventKind.ACCEPTED, peer) if peer is not None and text.startswith("accepted ") else None
        self.names.add_line(LogLine(7, "info", text, event, peer))

    def flow(self, number: int, port: int, behind: int) -> None:
        self.names.update_flows({"opened": [[number, "127.0.0.1", port, "127.0.0.1", behind, 5]], "closed": []})


def _peer(text: str) -> Endpoint | None:
    found = re.search(r"(127\.0\.0\.1|\[::1\]):(\d+)", text)
    return Endpoint(found[1].strip("[]"), int(found[2])) if found else None


def test_a_line_waits_for_the_wire_and_keeps_its_place() -> None:
    told = Told()
    told.log("serving with threads")
    told.log("accepted 127.0.0.1:41000")
    told.log("something else")
    assert told.shown == ["serving with threads"]
    told.flow(1, 53000, 41000)
    assert told.shown[1:] == ["accepted 127.0.0.1:53000", "something else"]
    told.log("127.0.0.1:41000: dropped: silent for 30 s")
    told.log('127.0.0.1:41000 "GET http://127.0.0.1:41000/" 404')
    assert told.shown[3:] == [
        "127.0.0.1:53000: dropped: silent for 30 s",
        '127.0.0.1:53000 "GET http://127.0.0.1:41000/" 404',
    ]
    assert told.book.facts[0].accepted == 7


def test_a_stranger_at_the_servers_own_port_is_shown_after_a_moment() -> None:
    others = set(threading.enumerate())
    told = Told(patience=0.01)
    told.log("accepted [::1]:41000")
    wait_until(lambda: told.shown == ["accepted [::1]:41000"])
    wait_until(lambda: not any(isinstance(each, threading.Timer) for each in set(threading.enumerate()) - others))


def test_a_server_may_word_its_log_as_it_likes() -> None:
    told = Told()
    told.flow(1, 53000, 41000)
    told.log("Welcome, 127.0.0.1:41000, at 127.0.0.1:41000!")
    assert told.shown == ["Welcome, 127.0.0.1:53000, at 127.0.0.1:41000!"]


def test_what_waits_is_bounded() -> None:
    told = Told()
    for number in range(LINES_HELD + 50):
        told.log(f"accepted 127.0.0.1:{number}")
    assert len(told.shown) == 50


def test_an_address_that_is_used_again_means_the_newer_flow() -> None:
    told = Told()
    told.flow(1, 53000, 41000)
    told.names.update_flows({"opened": [], "closed": [[1, 9, "reset →", False, False]]})
    told.flow(2, 53001, 41000)
    told.log("accepted 127.0.0.1:41000")
    assert told.shown == ["accepted 127.0.0.1:53001"]
    one, two = told.book.facts
    assert (one.closed, one.how, one.accepted) == (9, "reset →", None)
    assert (two.closed, two.accepted) == (None, 7)


def test_who_ended_a_flow_is_told_and_not_read_from_words() -> None:
    for how, by_fault, fault in [("snipped", True, "snipped"), ("", True, "a fault"), ("cut after 3 bytes", False, "")]:
        told = Told()
        told.flow(1, 50001, 41001)
        told.names.update_flows({"opened": [], "closed": [[1, 9, how, by_fault, False]]})
        assert told.book.facts[0].fault == fault


def test_only_the_latest_flows_are_kept() -> None:
    book = FlowTable()
    for number in range(FLOWS_KEPT + 10):
        book.opened(FlowRecord(number, Endpoint("::1", number), Endpoint("127.0.0.1", number), 0))
    assert len(book.facts) == FLOWS_KEPT
    assert book.client_of(Endpoint("127.0.0.1", 3)) is None
    assert book.client_of(Endpoint("127.0.0.1", 10)) == Endpoint("::1", 10)


def test_what_is_no_flow_is_passed_over() -> None:
    told = Told()
    told.names.update_flows({"opened": [[1, 2], "x", None], "closed": 3})
    told.names.update_flows({"opened": None})
    assert told.book.facts == ()


def test_the_log_of_a_real_lab_names_the_clients() -> None:
    with Lab("tcp", model="threading") as lab:
        with lab.connect() as one, lab.connect() as two, socket.create_connection(lab.address) as outside:
            clients = {one.local, two.local, Endpoint(*outside.getsockname())}
            wait_until(lambda: {f"accepted {client}" for client in clients} == {line.text for line in lab.log})
            facts = wait_until(lambda: all(fact.accepted for fact in lab.flows) and lab.flows)
            assert {fact.client for fact in facts} == clients
            assert all(fact.opened <= fact.accepted for fact in facts if fact.accepted)
        wait_until(lambda: {f"closed {client}" for client in clients} <= {line.text for line in lab.log})
        wait_until(lambda: all(fact.closed and fact.closed > fact.opened for fact in lab.flows))


def test_a_flood_is_told_in_lines_that_the_lab_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine the wire may name a flow later than a person would want to wait for a line.
    monkeypatch.setattr(flow_table, "PATIENCE", 10.0)
    with Lab("tcp", model="asyncio") as lab:
        open_ones = [socket.create_connection(lab.address) for _ in range(400)]
        wait_until(lambda: len(lab.flows) == 400)
        clients = {Endpoint(*each.getsockname()) for each in open_ones}
        wait_until(lambda: {f"accepted {client}" for client in clients} == {line.text for line in lab.log})
        for each in open_ones:
            each.close()


def test_patience_is_short() -> None:
    assert flow_table.PATIENCE <= 0.2
