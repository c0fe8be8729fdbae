"""A lab with real children: the TCP topic's server and the wire."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Kind
from netlab.lab import Lab
from netlab.lab.errors import LabError
from netlab.lab.state import (
    CaptureGrew,
    CaptureRestarted,
    Event,
    LogGrew,
    Phase,
    SessionsChanged,
    StateChanged,
    TranscriptGrew,
)
from tests.support.echo import told
from tests.support.waiting import wait_until, waits_for, waits_in


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("tcp", model="single") as lab:
        yield lab


def running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it came in the moment in which the port was closed
        return False
    return False


def test_the_promise_made_in_the_readme() -> None:
    with Lab("tcp", model="single") as lab, lab.connect() as client:
        assert client.send(b"Hello") == 5
        assert client.recv(8192) == b"Hello"
        segments = lab.capture.segments
        found = [(each.kind, each.direction, bytes(each.data)) for each in segments]
        assert found == [
            (Kind.OPEN, Direction.TO_SERVER, b""),
            (Kind.DATA, Direction.TO_SERVER, b"Hello"),
            (Kind.DATA, Direction.TO_CLIENT, b"Hello"),
        ]
        assert segments[0].flow.client == client.local
        assert segments[0].flow.server == lab.address
        folder = lab.capture.path.parent
        assert [file.name for file in folder.iterdir()] == [lab.capture.path.name]
    assert bytes(segments[1].data) == b"Hello"  # also after the lab has gone
    assert not folder.exists()


def test_the_state_is_true(lab: Lab) -> None:
    state = lab.state
    assert (state.phase, state.model, state.problem) == (Phase.SERVING, "single", "")
    assert state.address == lab.address
    assert state.server_address not in (None, state.address)
    assert state.server_pid and running(state.server_pid)
    with lab.connect() as client:
        client.submit("Hello")
        wait_until(lambda: lab.state.accounts.to_client == 5)
        assert lab.state.accounts.open_flows == 1
        wait_until(lambda: any(line.text.startswith("accepted 127.0.0.1:") for line in lab.log))
        wait_until(lambda: lab.state.threads == 1 and lab.state.processes == 1)
    wait_until(lambda: lab.state.accounts.open_flows == 0)


def test_the_second_client_waits_in_the_accept_queue_until_the_first_closes(lab: Lab) -> None:
    first, second = lab.connect(), lab.connect()
    lab.use(1)
    lab.submit("Hello")
    first.wait_idle()
    lab.use(2)
    lab.submit("me too")
    wait_until(lambda: lab.state.queue == 1)
    assert lab.state.backlog == 5
    wait_until(lambda: (waits_for(second), waits_in(second)) == ("recv(8192)", "in the accept queue"))
    assert first.busy is None
    lab.submit(":close 1")
    second.wait_idle()
    assert told(second)[-1] == "b'me too'"
    wait_until(lambda: lab.state.queue == 0)


def test_of_two_that_wait_only_the_one_that_came_later_is_in_the_accept_queue(lab: Lab) -> None:
    first, second = lab.connect(), lab.connect()
    for client in (first, second):
        client.submit("recv(8192)")
    wait_until(lambda: lab.state.queue == 1)
    wait_until(lambda: waits_in(second) == "in the accept queue")
    assert first.busy is not None
    assert first.busy.place == ""


def test_a_wait_in_the_accept_queue_can_be_abandoned_and_still_be_served(lab: Lab) -> None:
    first, second = lab.connect(), lab.connect("slow")
    first.run("Hello")
    second.submit("me too")
    wait_until(lambda: waits_for(second).startswith("recv"))
    assert lab.submit(":abandon") is None
    second.wait_idle()
    assert "Abandoned: you stopped waiting" in told(second)
    first.close()
    assert second.recv(8192) == b"me too"


def test_another_model_serves_on_the_same_address(lab: Lab) -> None:
    address, pid = lab.address, lab.state.server_pid
    client = lab.connect()
    client.run("Hello")
    assert lab.submit(":model threading") is None
    reset = "# the connection was reset (RST): the server was restarted for model threading"
    wait_until(lambda: reset in told(client))
    assert (lab.address, lab.state.address, lab.state.model) == (address, address, "threading")
    assert pid is not None
    assert not running(pid)
    client.run("Again")
    assert told(client)[-1] == "b'Again'"


def test_an_unknown_model_changes_nothing(lab: Lab) -> None:
    pid = lab.state.server_pid
    with pytest.raises(LabError, match="there are single, threading"):
        lab.command(":model tripling")
    assert lab.state.server_pid == pid
    assert lab.state.model == "single"


def test_stopping_frees_the_port_and_keeps_capture_and_transcripts(lab: Lab) -> None:
    client = lab.connect()
    client.run("Hello")
    address = lab.address
    lab.stop()
    assert lab.state.phase is Phase.STOPPED
    assert lab.state.address is None
    assert refused(address)
    socket.create_server(tuple(address)).close()  # without SO_REUSEPORT: nobody else listens
    assert [segment.length for segment in lab.capture.segments if segment.length] == [5, 5]
    assert "b'Hello'" in told(client)
    lab.start()
    assert lab.address == address
    client.run("Again")
    assert told(client)[-1] == "b'Again'"


def test_a_port_in_use_is_said_with_who_holds_it_and_another_port_helps() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        lab = Lab("tcp", port=port)
        try:
            with pytest.raises(LabError) as raised:
                lab.start()
            assert raised.value.problem.startswith(f"port {port} is already in use by PID {os.getpid()} (")
            assert (lab.state.phase, lab.state.problem) == (Phase.FAILED, raised.value.problem)
            assert lab.state.advice == ":port 0 takes any free port"
            lab.submit("Hello")  # not to the stranger who holds the port
            assert lab.current is not None
            lab.current.wait_idle()
            assert told(lab.current) == ["# Hello", str(raised.value)]
            assert lab.command(":port 0") == f"listening on {lab.address}"
            assert lab.state.phase is Phase.SERVING
            assert lab.state.problem == ""
            with lab.connect() as client:
                client.run("Hello")
            with pytest.raises(LabError, match="already in use"):
                lab.set_port(port)
            assert lab.state.phase is Phase.SERVING  # where it was
            with lab.connect() as client:
                client.run("Hello")
        finally:
            lab.close()


def test_the_port_of_a_running_lab_can_be_changed(lab: Lab) -> None:
    before = lab.address
    client = lab.connect()
    lab.submit(":port 0")
    assert lab.address != before
    assert refused(before)
    client.run("Hello")  # open flows go on
    assert lab.state.address == lab.address


def test_a_server_that_dies_is_dead_with_its_last_words_and_starts_again(lab: Lab) -> None:
    address, pid = lab.address, lab.state.server_pid
    assert pid is not None
    client = lab.connect()
    client.run("Hello")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: lab.state.phase is Phase.DEAD)
    assert lab.state.problem == "the server died: it was killed by signal 9"
    assert lab.state.server_pid is None
    wait_until(lambda: refused(address))
    lab.start()
    assert lab.state.phase is Phase.SERVING
    assert lab.address == address
    client.run("Again")
    assert told(client)[-1] == "b'Again'"


def test_a_wire_that_dies_is_replaced(lab: Lab) -> None:
    address = lab.address
    client = lab.connect()
    wire = lab._supervisor._now.wire
    assert wire is not None
    os.kill(wire.child.pid, signal.SIGKILL)
    wait_until(lambda: lab.state.phase is Phase.DEAD)
    assert lab.state.problem.startswith("the wire died: ") and lab.state.wire_died
    lab.start()
    assert not lab.state.wire_died
    assert lab.address == address
    client.run("Hello")
    assert [bytes(s.data) for s in lab.capture.segments if s.kind is Kind.DATA] == [b"Hello", b"Hello"]


def test_the_capture_is_saved_whole_and_restarted(lab: Lab, tmp_path: Path) -> None:
    client = lab.connect()
    client.run("Hello")
    file = tmp_path / "lab.pcapng"
    assert lab.command(f":save {file}") == f"saved {file}"
    assert lab.command(f":save {file}") == f"saved {file}; what was there is now {file}~"
    with Capture.of_file(file) as saved:
        saved.grow()
        assert [bytes(s.data) for s in saved.segments if s.kind is Kind.DATA] == [b"Hello", b"Hello"]
    before = lab.capture.path
    lab.command(":clear")
    assert not before.exists()
    client.run("Again")
    assert [bytes(s.data) for s in lab.capture.segments if s.kind is Kind.DATA] == [b"Again", b"Again"]
    with pytest.raises(LabError, match="choose another file"):
        lab.save(tmp_path)
    with pytest.raises(LabError, match="No such file"):
        lab.save(tmp_path / "no" / "such" / "folder")


def test_what_happens_is_told_and_a_listener_that_fails_does_no_harm() -> None:
    kinds: set[type] = set()

    def notify(event: Event) -> None:
        kinds.add(type(event))
        raise RuntimeError("the screen is broken")

    with Lab("tcp", notify=notify) as lab:
        client = lab.connect()
        client.run("Hello")
        wait_until(lambda: lab.shown_capture is not None and len(lab.shown_capture.segments) == 3)
        everything = {StateChanged, LogGrew, CaptureGrew, CaptureRestarted, SessionsChanged, TranscriptGrew}
        wait_until(lambda: kinds == everything)


def test_clients_have_numbers_and_names(lab: Lab) -> None:
    assert lab.current is None
    first, second = lab.connect(), lab.connect("slow")
    assert [(s.number, s.name) for s in lab.sessions] == [(1, "client 1"), (2, "slow")]
    assert lab.current is second
    assert lab.use("client 1") is first
    assert lab.use(2) is second
    with pytest.raises(LabError, match=r"there are 1 \(client 1\), 2 \(slow\)"):
        lab.use(3)
    with pytest.raises(LabError, match="there already is a client slow"):
        lab.open("slow")
    second.close()
    assert lab.current is first
    assert lab.open().number == 2


def test_a_client_leaves_the_list_when_its_with_block_ends(lab: Lab) -> None:
    with lab.connect():
        assert len(lab.sessions) == 1
    assert lab.sessions == ()


def test_closing_with_calls_that_wait_takes_no_second() -> None:
    lab = Lab("tcp", model="single")
    lab.start()
    clients = [lab.connect() for _ in range(4)]
    for client in clients:
        client.submit("recv(8192)")
    wait_until(lambda: all(client.busy for client in clients))
    before = time.monotonic()
    lab.close()
    lab.close()
    assert time.monotonic() - before < 2  # less than one on a quiet machine
    assert not any(client.connected for client in clients)


def test_closing_with_stalled_children_is_bounded_too() -> None:
    lab = Lab("tcp")
    lab.start()
    pid, wire = lab.state.server_pid, lab._supervisor._now.wire
    assert pid is not None and wire is not None
    for each in (pid, wire.child.pid):
        os.kill(each, signal.SIGSTOP)
    before = time.monotonic()
    lab.close()
    assert time.monotonic() - before < 3.5
    assert not running(pid)
    assert not running(wire.child.pid)


def test_closing_while_starting_leaves_nothing() -> None:
    lab = Lab("tcp")
    raised: list[BaseException] = []

    def start() -> None:
        try:
            lab.start()
        except LabError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    wait_until(lambda: lab._supervisor._children._started)
    lab.close()
    thread.join(10)
    assert not thread.is_alive()
    assert all(not running(child.pid) for child in lab._supervisor._children._started)
    with pytest.raises(LabError, match="closed"):
        lab.start()


def test_nothing_is_left_behind() -> None:
    with Lab("tcp") as lab:
        lab.connect().run("Hello")
        folder = lab.capture.path.parent
        assert folder.stat().st_mode & 0o077 == 0
        threads = threading.active_count()
    assert not folder.exists()
    wait_until(lambda: threading.active_count() < threads)


def test_a_topic_that_is_not_there() -> None:
    with pytest.raises(LabError, match="no topic"):
        Lab("tpc")


def test_a_lab_that_was_not_started_says_so() -> None:
    lab = Lab("tcp")
    try:
        assert lab.capture.segments[:] == ()
        with pytest.raises(LabError, match="has not been started"):
            lab.connect()
        assert lab.sessions == ()
        with pytest.raises(LabError, match="wire is not running"):
            lab.command(":clear")
    finally:
        lab.close()


def test_a_wrong_secret_is_refused_and_appears_nowhere() -> None:
    with Lab("hmac", server_timeout=5) as lab:
        lab.submit("Hello")
        first = lab.current
        assert first is not None
        first.wait_idle()
        assert told(first)[-1] == "b'Hello'"
        lab.submit(":secret wrong-horse\n:connect mule")
        second = lab.current
        assert second is not None
        second.wait_idle()
        assert second.name == "mule"
        assert "Client((" in told(second)[0]
        assert "secret=••••" in told(second)[0]
        assert any(text.startswith("SecretRefused: ") for text in told(second))
        everything = [*told(first), *told(second), *(line.text for line in lab.log), repr(lab.state)]
        assert not any("wrong-horse" in text for text in everything)


def test_an_option_of_the_server_replaces_it_and_a_bad_one_changes_nothing() -> None:
    with Lab("zerocopy") as lab:
        address, pid = lab.address, lab.state.server_pid
        lab.command(":max-frame 4096")
        assert lab.address == address
        assert lab.state.server_pid != pid
        client = lab.connect()
        with pytest.raises((OSError, EOFError)):
            client.receive(8192)
        pid = lab.state.server_pid
        with pytest.raises(LabError):
            lab.command(":max-frame many")
        assert lab.state.server_pid == pid


def test_datagrams_have_no_accept_queue_and_are_asked_again_in_the_clients_own_time() -> None:
    with Lab("udp") as lab:
        client = lab.connect()
        client.run("time")
        assert len([s for s in lab.capture.segments if s.kind is Kind.DATA]) == 2
        assert lab.state.queue is None
        assert "timeout" not in lab.target(lab.address).keywords


def test_a_full_capture_is_said_with_what_to_try() -> None:
    with Lab("tcp", limit=1 << 16) as lab, lab.connect() as client:
        client.send(bytes(100_000))
        wait_until(lambda: lab.state.capture_note)
        assert lab.state.capture_note == "capture full: payload beyond 64 KiB is not kept; :clear starts a new capture"
        lab.command(":clear")
        wait_until(lambda: not lab.state.capture_note)


def test_a_timeout_holds_for_the_next_call_of_an_open_connection_on_every_topic() -> None:
    with Lab("udp") as lab:
        lab.wire.fault("loss 100%")
        client = lab.connect()
        lab.command(":timeout 0.3")
        with pytest.raises(TimeoutError, match=r"asked 4 times in 0\.3 s"):
            client.ask()
    calls = {"tcp": "recv(1)", "xmlrpc": "keys()", "wsgi": "get('/')", "hmac": "recv(1)", "multiprocessing": "recv()"}
    for name, call in calls.items():
        with Lab(name) as lab:
            client = lab.connect()
            lab.wire.fault("stall <-")
            lab.command(":timeout 0.2")
            with pytest.raises(TimeoutError):
                client.run(call)


def test_faults_act_and_go(lab: Lab) -> None:
    assert lab.command(":faults") == "active: none"
    assert lab.command(":fault slice 1") == f"active: {', '.join(lab.state.faults)}"
    assert len(lab.state.faults) == 1
    client = lab.connect()
    client.send(b"Hello")
    assert client.recv(8192) != b""
    with pytest.raises(LabError):
        lab.command(":fault gremlins")
    assert len(lab.state.faults) == 1
    lab.command(":clear-faults")
    assert lab.state.faults == ()


def test_restarting_is_on_the_same_port(lab: Lab) -> None:
    address, pid = lab.address, lab.state.server_pid
    lab.command(":restart")
    assert lab.state.address == address
    assert lab.state.server_pid != pid


def test_over_the_other_internet_protocol() -> None:
    with Lab("tcp", host="::1") as lab, lab.connect() as client:
        client.run("Hello")
        assert client.local is not None
        assert client.local.host == "::1"
        assert lab.capture.flows[0].server == lab.address


@pytest.mark.parametrize(("port", "problem"), [(1, "needs more rights than this program has"), (0, "not an address")])
def test_other_reasons_not_to_listen(port: int, problem: str) -> None:
    if port and os.geteuid() == 0:
        pytest.skip("root may open any port")
    lab = Lab("tcp", host="127.0.0.1" if port else "192.0.2.1", port=port)
    try:
        with pytest.raises(LabError, match=problem):
            lab.start()
        assert lab.state.phase is Phase.FAILED
    finally:
        lab.close()


@pytest.mark.parametrize("how", ["reset", "cut"])
def test_a_connection_that_a_fault_ended_is_not_blamed_on_the_server(how: str) -> None:
    with Lab("tcp", notify=lambda event: None) as lab, lab.connect() as session:
        session.run("Hello")
        lab.wire.fault(how)
        with contextlib.suppress(ConnectionError):
            session.run("Hello")
        said = f"the wire did that, not the server: {how} after 0 bytes; :clear-faults removes all faults"
        wait_until(lambda: [entry.text for entry in session.transcript].count(said) == 1)
        assert session.fault == f"{how} after 0 bytes"
        assert not any("other side" in entry.text or "connecting again" in entry.text for entry in session.transcript)
        lab.wire.clear()
        session.run("Hello")
        assert session.fault == ""


def test_an_abandoned_request_leaves_no_connection_to_read_from() -> None:
    with Lab("wsgi", notify=lambda event: None) as lab, lab.connect() as session:
        lab.wire.intercept("'GET'")
        session.submit("Guido")
        wait_until(lambda: waits_in(session) == "held on the wire")
        session.abandon()
        wait_until(lambda: session.busy is None)
        assert told(session)[-2:] == [
            "Abandoned: you stopped waiting",
            "# the call's connection is closed, and its answer is lost",
        ]


def test_what_came_before_a_cut_is_no_answer_and_that_is_said() -> None:
    with Lab("wsgi", notify=lambda event: None) as lab, lab.connect() as session:
        lab.wire.fault("cut after 100 <-")
        session.run("Guido")
        lab.wire.clear()
        session.run("Guido")
        said = [entry.text for entry in session.transcript if entry.text.startswith("the wire did that")]
        assert said == ["the wire did that, not the server: cut after 100 bytes; :clear-faults removes all faults"]


def test_a_closed_lab_has_no_new_clients_and_says_so() -> None:
    with Lab("tcp") as lab:
        pass
    with pytest.raises(LabError, match="the lab is closed"):
        lab.connect()


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port_is_told_before_anything_starts(port: int) -> None:
    with pytest.raises(LabError, match=f"{port} is not a port"):
        Lab("tcp", port=port)
