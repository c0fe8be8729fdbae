"""Who is dropped is shown as closed, with the reason; what a person's hold caused is put down to the hold."""

from __future__ import annotations

import contextlib
import math
import pickle
import socket
from collections.abc import Callable

import pytest

from netlab.capture.model import Endpoint, Kind, Transport
from netlab.lab import Lab
from netlab.lab.client.session import Session
from netlab.lab.console import COMMANDS
from netlab.lab.errors import LabError
from netlab.lab.processes.server_process import ServerProcess
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from netlab.topics.peer_event import PeerEventKind
from tests.support.waiting import wait_until

LONG = 30.0
STAYING = [
    pytest.param(topic, model, id=f"{topic.name}-{model}")
    for topic in topics().values()
    if topic.transport is Transport.TCP and topic.name not in ("wsgi", "xmlrpc")  # there each call has its connection
    for model in topic.models
]


def told(session: Session) -> list[str]:
    return [entry.text for entry in session.transcript]


def says(session: Session, text: str) -> Callable[[], bool]:
    return lambda: any(text in line for line in told(session))


@pytest.mark.parametrize(("topic", "model"), STAYING)
def test_who_is_silent_is_shown_as_closed_with_the_servers_reason(topic: Topic, model: str) -> None:
    with Lab(topic, model=model, server_timeout=0.5) as lab, lab.connect() as session:
        session.run(topic.sample)
        wait_until(says(session, "dropped by the server: "), seconds=LONG)
        assert told(session)[-1].endswith(" for 0.5 s")
        assert session.peer_closed
        wait_until(lambda: lab.state.accounts.clients == 0 and lab.state.accounts.open_flows == 1)
        (event,) = [line.event for line in lab.log if line.event is not None and line.event.ends]
        assert (event.what, event.peer) == (PeerEventKind.DROPPED, session.local)


def test_all_who_are_dropped_are_shown_not_the_current_one_alone() -> None:
    with Lab("tcp", model="threading", server_timeout=0.5) as lab:
        one, two = lab.connect(), lab.connect()
        assert lab.current is two
        for session in (one, two):
            wait_until(says(session, "dropped by the server: silent for 0.5 s"), seconds=LONG)
            assert session.peer_closed
        wait_until(lambda: lab.state.accounts.clients == 0)
        assert lab.state.accounts.open_flows == 2


def test_a_refusal_is_told_in_the_servers_words() -> None:
    with Lab("multiprocessing") as lab, lab.connect() as session:
        session.send_bytes(pickle.dumps(contextlib.suppress))
        wait_until(says(session, "refused: the pickle names contextlib.suppress"), seconds=LONG)
    with Lab("hmac") as lab:
        lab.set_option("secret", "another")
        session = lab.open()
        with pytest.raises(Exception, match="rejected the digest"):
            session.connect()
        assert any("refused: wrong digest" in line for line in told(session))


def test_a_restart_for_an_option_or_a_model_is_what_ended_the_connection() -> None:
    with Lab("zerocopy") as lab, lab.connect() as session:
        session.receive("1 MiB")
        lab.set_option("max_frame", "4096")
        wait_until(says(session, "the server was restarted for --max-frame"), seconds=LONG)
        fates = [segment.fate for segment in lab.capture.segments if segment.kind is Kind.RESET]
        assert fates == ["the server was restarted for --max-frame"]
    with Lab("tcp") as lab, lab.connect() as session:
        session.send(b"Hello")
        lab.set_model("pool")
        wait_until(says(session, "the server was restarted for model pool"), seconds=LONG)


def test_a_held_call_does_not_time_out_and_is_answered_when_it_goes_on() -> None:
    with Lab("tcp", timeout=0.3) as lab, lab.connect() as session:
        lab.wire.intercept("-> 'Hello'")
        session.submit("Hello")
        (segment,) = wait_until(lambda: lab.wire.held)
        with pytest.raises(AssertionError):
            wait_until(lambda: session.busy is None, seconds=1.2)
        lab.wire.release(segment.number)
        session.wait_idle()
        assert told(session)[-1] == "b'Hello'"


def test_what_a_hold_caused_is_put_down_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServerProcess, "set_patience", lambda *_, **__: None)  # a server that does not hear of holds
    with Lab("tcp", server_timeout=0.8) as lab, lab.connect() as session:
        wait_until(lambda: lab.flows and lab.flows[0].accepted)
        lab.wire.intercept("-> 'Hello'")
        session.submit("Hello")
        wait_until(
            says(session, "dropped by the server: silent for 0.8 s; the wire did that: a segment was held by hand"),
            seconds=LONG,
        )
        assert session.by_wire


@pytest.mark.parametrize("topic", ["tcp", "hmac", "multiprocessing", "tls", "zerocopy", "wsgi", "xmlrpc"])
def test_while_segments_are_held_nobody_who_comes_is_dropped(topic: str) -> None:
    with Lab(topic, model="threading", server_timeout=0.4) as lab:
        lab.wire.intercept("'such text never comes'")
        wait_until(lambda: not _drops_soon(lab), seconds=LONG)  # the server hears of it a moment later
        lab.wire.intercept()
        wait_until(lambda: _drops_soon(lab), seconds=LONG)


def _ended(lab: Lab, client: Endpoint) -> bool:
    return any(line.event is not None and line.event.ends and line.event.peer == client for line in lab.log)


def _drops_soon(lab: Lab) -> bool:
    """Whether a client that comes now and is silent is dropped."""
    with socket.create_connection(lab.address) as outside, contextlib.suppress(AssertionError):
        return wait_until(lambda: _ended(lab, Endpoint(*outside.getsockname())), seconds=1.0)
    return False


def test_while_an_abandoned_call_is_looked_at_nobody_is_dropped() -> None:
    with Lab("tcp", server_timeout=2.0) as lab:
        first = lab.connect()
        second = lab.connect()
        second.submit("Hello")
        wait_until(lambda: second.busy is not None and second.busy.text.startswith("recv"))
        second.abandon()
        wait_until(lambda: second.call_abandoned)
        with pytest.raises(AssertionError):
            wait_until(lambda: says(first, "dropped")() or says(second, "dropped")(), seconds=3.0)


def test_idle_says_and_sets_how_long_silence_may_last_and_keeps_the_connections() -> None:
    with Lab("tcp", model="threading", server_timeout=600) as lab, lab.connect() as session:
        session.run("Hello")
        assert lab.command(":idle") == "a client that is silent for 600 s is dropped"
        assert lab.command(":idle 10m") == "a client that is silent for 600 s is dropped"
        assert lab.command(":idle off") == "silent clients are not dropped"
        assert lab.idle == math.inf
        lab.command(":idle 0.4s")
        wait_until(lambda: _drops_soon(lab), seconds=LONG)
        session.run("Hello")
        assert told(session)[-1] == "b'Hello'"
        lab.set_model("pool")  # and a new server is told the same
        assert _drops_soon(lab)
        for wrong in ("soon", "-1", "0", "2h"):
            with pytest.raises(LabError):
                lab.command(f":idle {wrong}")
    assert any(command.name == "idle" for command in COMMANDS)


def test_a_server_without_connections_has_no_such_limit() -> None:
    with Lab("udp") as lab, pytest.raises(LabError, match="waits for no client"):
        lab.command(":idle 30s")
