"""A server of a person's own as the app attaches it: its port, its faults, and a wire that goes down and up."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.capture.model import Endpoint, Keep, Transport
from netlab.folders import ports_file
from netlab.lab import Lab
from netlab.lab.attached import Attached, attach
from netlab.lab.errors import LabError
from netlab.lab.remembered_ports import MOST, RememberedPorts
from netlab.lab.state import Phase
from netlab.ui.bytes.inspection import inspect_segment
from netlab.ui.lab_thread import LiveLab
from tests.support.waiting import PATIENCE, wait_until

NOBODY = Endpoint("127.0.0.1", 9)


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@contextlib.contextmanager
def started(attached: Attached) -> Iterator[Lab]:
    live = LiveLab(attached.topic, attached=attached)
    live.start()
    try:
        wait_until(lambda: live.lab.state.phase in (Phase.SERVING, Phase.FAILED))
        live.lab.sync()
        yield live.lab
    finally:
        live.close()


def test_it_listens_at_a_free_port_which_is_the_same_the_next_time() -> None:
    with started(attach(NOBODY)) as first:
        port = first.address.port
        wait_until(lambda: RememberedPorts(ports_file()).of("TCP 127.0.0.1:9") == port)
        with started(attach(NOBODY)) as second:  # the port is taken: another one, which is not remembered
            wait_until(lambda: second.state.phase is Phase.SERVING)
            assert second.address.port != port
    with started(attach(NOBODY)) as third:
        assert third.address.port == port


def test_a_port_that_was_asked_for_is_not_exchanged_for_another() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        started(attach(NOBODY, listen=Endpoint(*taken.getsockname()))) as lab,
    ):
        assert lab.state.phase is Phase.FAILED
        assert "in use" in lab.state.problem
    assert not ports_file().exists()


def test_its_faults_act_from_the_first_client_on() -> None:
    with started(attach(NOBODY, faults=("delay 10ms", "slice 1"))) as lab:
        assert lab.wire.faults == ("delay 10ms", "slice 1")


def test_a_host_that_is_not_found_is_said() -> None:
    with started(attach(Endpoint("no.such.host.invalid", 80))) as lab:
        assert lab.state.phase is Phase.FAILED
        assert lab.state.problem.startswith("the host no.such.host.invalid was not found")


def test_remembered_ports_survive_a_spoilt_file_and_are_bounded(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "ports.json"
    ports = RememberedPorts(file)
    assert ports.of("a") == 0
    for number in range(MOST + 1):
        ports.remember(f"target {number}", 1000 + number)
    assert (ports.of("target 0"), ports.of("target 1"), ports.of(f"target {MOST}")) == (0, 1001, 1000 + MOST)
    for spoilt in ("", "[1]", '{"a": "x", "b": 70000, "c": 7}', "[" * 100_000):
        file.write_text(spoilt)
        assert ports.of("a") == ports.of("b") == 0
    RememberedPorts(Path("/proc/no/ports.json")).remember("a", 1)


@pytest.mark.parametrize("transport", Transport, ids=lambda transport: transport.value)
def test_a_wire_that_is_down_refuses_and_resets_until_it_is_up(transport: Transport) -> None:
    kind = socket.SOCK_STREAM if transport is Transport.TCP else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as server, socket.socket(socket.AF_INET, kind) as client:
        server.bind(("127.0.0.1", 0))
        if transport is Transport.TCP:
            server.listen()
        with started(attach(Endpoint(*server.getsockname()), transport)) as lab:
            client.settimeout(PATIENCE)
            client.connect(lab.address)
            client.send(b"one")
            wait_until(lambda: lab.state.accounts.to_server == 3)
            address = lab.address
            assert lab.command(":down") == "the wire is down: clients are refused; :up takes them again"
            assert (lab.state.down, lab.state.address) == (True, address)
            with pytest.raises((ConnectionRefusedError, ConnectionResetError)):
                client.send(b"two")
                client.recv(1)
                client.send(b"three")
                client.recv(1)
            if transport is Transport.TCP:
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(address, timeout=PATIENCE)
            assert lab.command(":up") == f"clients connect to {address}"
            lab.wire.up()
            assert not lab.state.down
            with socket.socket(socket.AF_INET, kind) as again:
                again.connect(address)
                again.send(b"four")
                wait_until(lambda: lab.state.accounts.to_server == 7)


@pytest.mark.parametrize("transport", Transport, ids=lambda transport: transport.value)
def test_its_flows_have_the_address_of_the_client_and_its_capture_keeps_the_newest(transport: Transport) -> None:
    kind = socket.SOCK_STREAM if transport is Transport.TCP else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as server, socket.socket(socket.AF_INET, kind) as client:
        server.bind(("127.0.0.1", 0))
        if transport is Transport.TCP:
            server.listen()
        attached = attach(Endpoint(*server.getsockname()), transport)
        with Lab(attached.topic, server=attached.server, keep=attached.settings.keep.value) as lab:
            client.connect(lab.address)
            client.send(b"one")
            wait_until(lambda: lab.state.accounts.to_server == 3)
            outside = Endpoint(*client.getsockname())
            (flow,) = lab.capture.flows
            assert (flow.client, flow.server) == (outside, lab.address)
            assert [fact.client for fact in lab.flows] == [outside]
            title = inspect_segment(lab.capture.segments[0], lab.capture).title
            assert transport is Transport.UDP or f"flow 1 of {outside} to {lab.address}" in title
    assert attached.settings.keep is Keep.NEWEST


def test_clients_are_refused_while_nothing_listens_and_the_first_after_that_is_served() -> None:
    with socket.create_server(("127.0.0.1", 0)) as before:
        server = Endpoint(*before.getsockname())
    with started(attach(server)) as lab:
        for _ in range(2):
            wait_until(lambda: lab.state.absent == server)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(lab.address, timeout=PATIENCE)
            with pytest.raises(OSError, match="in use"):
                socket.create_server(lab.address)
            assert not lab.state.down
            with socket.create_server(server) as came:
                wait_until(lambda: lab.state.absent is None)
                with socket.create_connection(lab.address, timeout=PATIENCE), came.accept()[0]:
                    pass


def test_a_client_learns_why_it_was_refused() -> None:
    with started(attach(NOBODY)) as lab:
        lab.submit("hello")
        assert lab.current is not None
        lab.current.wait_idle()
        notes = [entry.text for entry in lab.current.transcript]
        assert any("nothing listens there" in note for note in notes), notes


def test_down_and_up_do_not_take_clients_while_nothing_listens() -> None:
    with started(attach(NOBODY)) as lab:
        wait_until(lambda: lab.state.absent == NOBODY)
        lab.command(":down")
        wait_until(lambda: lab.state.absent is None and lab.state.down)
        lab.command(":up")
        wait_until(lambda: lab.state.absent == NOBODY)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(lab.address, timeout=PATIENCE)


def test_what_only_our_servers_understand_is_not_offered() -> None:
    with started(attach(NOBODY)) as lab:
        for command in (":model pool", ":idle 3s"):
            with pytest.raises(LabError, match="no command"):
                lab.command(command)
