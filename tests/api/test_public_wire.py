"""`netlab.Wire` and `netlab.AsyncWire` before real servers."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import netlab
from netlab import AsyncWire, Wire, WireError, WireTimeout
from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction
from tests.lab.processes.test_kill import gone
from tests.support.echo import EchoServer
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def shared(echo: EchoServer) -> Iterator[Wire]:
    with Wire(to=echo.address) as wire:
        yield wire


@pytest.fixture
def wire(shared: Wire) -> Iterator[Wire]:
    """A wire without faults and flows."""
    yield shared
    shared.replace()
    shared.intercept()
    shared.drop_flows()


def connected(wire: Wire | AsyncWire) -> socket.socket:
    return socket.create_connection(wire.address, timeout=PATIENCE)


def said(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return client.recv(100)


def test_a_program_sees_what_crossed(wire: Wire, tmp_path: Path) -> None:
    with connected(wire) as client:
        assert said(client, b"Hello") == b"Hello"
        flow = wire.flows[-1]
        assert (flow.client, flow.closed) == (client.getsockname(), None)
    wire.wait_for(lambda: wire.flows[-1].closed)
    mine = [each for each in wire.segments if each.flow.client == flow.client]
    assert [bytes(each.data) for each in mine if each.length] == [b"Hello", b"Hello"]
    saved = wire.save(tmp_path / "a.pcapng")
    with Capture.of_file(saved.path) as capture:
        capture.grow()
        assert len(capture.segments) == len(wire.segments)


def test_segments_do_not_grow_until_they_are_asked_for_again(wire: Wire) -> None:
    with connected(wire) as client:
        said(client, b"one")
        before = wire.segments
        count = len(before)
        said(client, b"two")
        assert len(wire.segments) == count + 2
        assert (len(before), len(tuple(before))) == (count, count)
        assert bytes(before[-1].data) == bytes(before[count - 1 :][0].data) == b"one"
        with pytest.raises(IndexError):
            before[count]


def test_faults_act_from_the_first_segment_and_can_be_cleared(echo: EchoServer) -> None:
    with Wire(echo.address, faults=["slice 1 ->", "cut after 3"], seed=7) as wire:
        assert (wire.faults, wire.seed) == (("slice 1 →", "cut after 3"), 7)
        with connected(wire) as client:
            client.sendall(b"Hello")
            wire.wait_for("fate:'cut after 3'")
            assert wire.flows[0].by_fault
        wire.clear()
        assert wire.fault("delay 1ms") == ("delay 1ms",)
        with connected(wire) as client:
            assert said(client, b"Hello") == b"Hello"
            assert wire.wait_for("<- 'Hello'", after=6).fate == "held 1 ms"


def test_a_server_that_goes_and_comes(wire: Wire) -> None:
    with connected(wire) as client:
        said(client, b"x")
        wire.down()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connected(wire)
    wire.down()
    wire.up()
    with connected(wire) as client:
        assert said(client, b"back") == b"back"


def test_another_server_takes_new_flows(wire: Wire, echo: EchoServer) -> None:
    other = EchoServer()
    other.answering.clear()
    try:
        with connected(wire) as old:
            said(old, b"x")
            wire.retarget(f"127.0.0.1:{other.address.port}")
            with connected(wire) as client:
                client.sendall(b"Hello")
                wait_until(lambda: other.clients)
                assert said(old, b"still") == b"still"
        assert wire.to == other.address
    finally:
        wire.retarget(echo.address)
        other.close()


def test_a_segment_is_held_edited_and_released(wire: Wire) -> None:
    wire.intercept("-> 'Hello'")
    with connected(wire) as client:
        client.sendall(b"Hello")
        wire.wait_for(lambda: wire.held)
        wire.edit(wire.held[0].number, b"Bye")
        wire.release()
        assert client.recv(100) == b"Bye"
        client.sendall(b"Hello again")
        wire.wait_for(lambda: wire.held)
        wire.drop(wire.held[0].number)
        wire.intercept()
        assert said(client, b"there") == b"there"


def test_bytes_are_replayed_in_an_open_flow_and_in_a_new_one(wire: Wire) -> None:
    with connected(wire) as client:
        assert said(client, b"one") == b"one"
        wire.replay(b"two", wire.flows[-1])
        assert client.recv(100) == b"two"
        wire.replay(b"three", wire.flows[-1], "<-")
        assert client.recv(100) == b"three"
    assert wire.replay_in_new_flow(b"four").answer == b"four"


def test_datagrams() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(PATIENCE)
        with (
            Wire(to=server.getsockname(), udp=True, faults=["loss first 1 ->"]) as wire,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        ):
            client.connect(wire.address)
            for text in (b"lost", b"comes"):
                client.send(text)
            assert server.recv(100) == b"comes"
            lost = wire.wait_for("'lost'")
            assert (lost.direction, lost.words) == (Direction.TO_SERVER, "dropped")


def test_waiting_ends_with_what_did_cross(wire: Wire) -> None:
    with connected(wire) as client:
        said(client, b"Hello")
        with pytest.raises(
            TimeoutError, match=r"no segment matched \"'never'\" within 0\.01 s; (?s:.*)5 bytes  'Hello'"
        ):
            wire.wait_for("'never'", 0.01)
        with pytest.raises(WireTimeout, match="the condition did not come true"):
            wire.wait_for(lambda: False, 0.01)


def test_at_its_limit_the_capture_keeps_the_newest(echo: EchoServer) -> None:
    with Wire(echo.address, limit=256 << 10) as wire, connected(wire) as client:
        for number in range(60):
            client.sendall(b"x" * 5000 + b"%03d." % number)
            wire.wait_for(f"<- '{number:03}.'")
            while not client.recv(8192).endswith(b"."):
                pass
        segments = wire.segments
        kept = list(segments)
        assert kept == list(segments[:]) and 1 < len(kept) < len(segments)
        assert kept[-1].number == len(segments) and bytes(kept[-1].data[-4:]) == b"059."
        with pytest.raises(IndexError, match="let go"):
            segments[0]
        assert "let go" in wire.note
        with pytest.raises(WireTimeout, match="let go"):
            wire.wait_for("'000.'", 0.01)


ERRORS: list[tuple[Callable[[Wire], object], str]] = [
    (lambda wire: wire.fault("dely"), "there is no fault 'dely'; there are delay, .*`netlab wire --help`"),
    (lambda wire: wire.fault("loss 30%"), "no loss on TCP: .*"),
    (lambda wire: wire.fault(*["delay 1ms"] * 17), "a wire has at most 16 faults"),
    (lambda wire: wire.wait_for("zz"), 'zz is not understood; to look for the text, write "zz"; as in'),
    (lambda wire: wire.intercept("zz"), "zz is not understood"),
    (lambda wire: wire.release(9), "segment 9 is not held; `held` has"),
    (lambda wire: wire.retarget(wire.address), "is the wire itself, in an endless loop; give it the server's own"),
    (lambda wire: wire.retarget("127.0.0.1:0"), "no server listens on port 0"),
    (lambda wire: wire.save("/dev/null/x"), "could not save to /dev/null/x: .*; choose another file"),
    (lambda wire: wire.replay(b"", wire.flows[-1], "up"), "'up' is no direction; write \"->\""),
    (lambda wire: Wire("redis"), "to: 'redis' is not HOST:PORT; as in to="),
    (lambda wire: Wire(wire.to, faults="delay 1ms"), r"faults is a list.*; write faults=\['delay 1ms'\]"),
    (lambda wire: Wire(wire.to, listen=wire.address).start(), r"port \d+ is already in use.*; port 0, which is usual"),
    (lambda wire: Wire(wire.to).down(), "the wire has not been started; use it as in `with"),
]


@pytest.mark.parametrize(("ask", "words"), ERRORS, ids=[words[:30] for _, words in ERRORS])
def test_errors_say_what_happened_why_and_what_to_try(shared: Wire, ask: Callable[[Wire], object], words: str) -> None:
    if not shared.flows:
        connected(shared).close()
        shared.wait_for(lambda: shared.flows)
    with pytest.raises(WireError, match=words):
        ask(shared)


def test_a_wire_that_is_closed_or_dead_says_so(echo: EchoServer, tmp_path: Path) -> None:
    with Wire(echo.address) as wire:
        with connected(wire) as client:
            said(client, b"Hello")
        wire.wait_for("fin <-")
        os.kill(wire._run.with_wire(lambda process: process.child.pid), signal.SIGKILL)
        with pytest.raises(WireError, match=r"the wire's process ended: .*killed by signal 9; close it"):
            wire.wait_for("'never'")
        assert wire.save(tmp_path / "all.pcapng").path.exists()
    assert [bytes(each.data) for each in wire.segments if each.length] == [b"Hello", b"Hello"]
    assert len(wire.flows) == 1
    with pytest.raises(WireError, match="the wire is closed; make another Wire"):
        wire.fault("delay 1ms")
    with pytest.raises(WireError, match="the wire is closed, and its capture is gone; save it before"):
        wire.save(tmp_path / "late.pcapng")


def test_many_threads_use_one_wire(wire: Wire) -> None:
    problems: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                wire.fault(f"delay {number + 1}ms")
                with connected(wire) as client:
                    assert said(client, f"{number}/{turn}.".encode()) == f"{number}/{turn}.".encode()
                wire.wait_for(f"<- '{number}/{turn}.'")
                wire.clear()
        except Exception as error:  # noqa: BLE001 - shown by the test
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def signature(member: object) -> object:
    """What a caller has to know, without what it returns."""
    if isinstance(member, property):
        return "property"
    parameters = inspect.signature(member).parameters.values()  # type: ignore[arg-type]  # a method
    return [(each.name, each.kind, each.default) for each in parameters]


def test_both_classes_have_the_same_names_and_signatures() -> None:
    public, coroutines = (
        {name: member for name, member in vars(each).items() if not name.startswith("_")} for each in (Wire, AsyncWire)
    )
    assert signature(coroutines.pop("over").__func__) == signature(lambda cls, wire: None)
    assert {name: signature(member) for name, member in public.items()} == {
        name: signature(member) for name, member in coroutines.items()
    }
    assert signature(Wire.__init__) == signature(AsyncWire.__init__)
    assert all(inspect.iscoroutinefunction(each) for each in coroutines.values() if not isinstance(each, property))
    assert all(each.__doc__ for each in (*public.values(), *coroutines.values()))


def test_coroutines(echo: EchoServer, tmp_path: Path) -> None:
    async def whole() -> None:
        async with AsyncWire(to=echo.address, faults=["delay 1ms"]) as wire:
            reader, writer = await asyncio.open_connection(*wire.address)
            writer.write(b"Hello")
            assert await reader.read(100) == b"Hello"
            assert (await wire.wait_for("<- 'Hello'")).fate == "held 1 ms"
            assert len(await wire.flows) == 1
            await wire.replace("slice 1")
            await wire.clear()

            async def replied() -> bool:
                return len(await wire.segments) >= 5

            await wire.replay(b"again", (await wire.flows)[0])
            assert await wire.wait_for(replied)
            assert await wire.wait_for(lambda: wire.faults == ())
            with pytest.raises(WireTimeout):
                await wire.wait_for("'never'", 0.01)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(wire.wait_for("'never'", 100), 0.05)
            await wire.save(tmp_path / "async.pcapng")
            await wire.down()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*wire.address)
            await wire.up()
            writer.close()

    asyncio.run(whole())


def test_a_cancelled_start_leaves_nothing(echo: EchoServer) -> None:
    async def cancelled() -> AsyncWire:
        wire = AsyncWire(to=echo.address)
        starting = asyncio.ensure_future(wire.start())
        await asyncio.sleep(0)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        return wire

    wire = asyncio.run(cancelled())
    with pytest.raises(WireError, match="closed"):
        wire._wire.fault("delay 1ms")


PROGRAM = """
import os, sys
from netlab import Wire
wire = Wire(to=int(sys.argv[1]))
wire.start()
print(wire._run.with_wire(lambda process: process.child.pid), wire.capture.path.parent, flush=True)
input()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, None])
def test_nothing_outlives_the_program(echo: EchoServer, number: signal.Signals | None) -> None:
    words = [sys.executable, "-c", PROGRAM, str(echo.address.port)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None and program.stdin is not None
        wire, folder = program.stdout.readline().split()
        if number is None:
            program.stdin.close()  # `input` fails, and the program ends without closing its wire
        else:
            program.send_signal(number)
        program.wait(PATIENCE)
        wait_until(lambda: gone(int(wire)))
        wait_until(lambda: not Path(folder).exists())


def test_a_fork_that_lives_on_does_not_keep_the_wire(echo: EchoServer) -> None:
    forking = PROGRAM.replace(
        "input()", "child = os.fork()\nprint(child, flush=True) if child else input()\nos._exit(9)"
    )
    words = [sys.executable, "-c", forking, str(echo.address.port)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        wire, _ = program.stdout.readline().split()
        child = int(program.stdout.readline())
        assert program.wait(PATIENCE) == 9  # without any clean-up, as by kill -9
        wait_until(lambda: gone(int(wire)))
        os.kill(child, signal.SIGTERM)  # it was still there


def test_a_fork_does_not_end_its_parents_wire(wire: Wire) -> None:
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            wire.close()
            wire.fault("delay 1ms")  # refused
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with connected(wire) as client:
        assert said(client, b"Hello") == b"Hello"


def test_neither_textual_nor_cryptography_is_needed(echo: EchoServer, tmp_path: Path) -> None:
    for name in ("textual", "rich", "cryptography"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not installed')")
    program = (
        "import socket, sys; from netlab import AsyncWire, Wire\n"
        "with Wire(int(sys.argv[1])) as wire:\n"
        "    client = socket.create_connection(wire.address)\n"
        "    client.sendall(b'Hello')\n"
        "    print(wire.wait_for(\"<- 'Hello'\").length)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(echo.address.port)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (found.stdout, found.stderr) == ("5\n", "")


def test_the_package_has_no_other_names() -> None:
    assert {"AsyncWire", "Wire", "WireError", "WireTimeout"} < set(netlab.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Wires'"):
        netlab.Wires  # type: ignore[attr-defined]  # noqa: B018 - it must fail
