"""``netlab wire`` as a process: what a person and what the lab see of it, and how it ends."""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netlab.capture.capture_file import Capture
from netlab.certificates import certs
from netlab.commands.wire import main
from netlab.topics.tls.client import Client
from netlab.wire.impairment import catalog
from tests.support import wireshark
from tests.support.forking.process import netlab
from tests.support.independent import conversations, frames
from tests.support.relaying import accept, endpoint, listening, read_all, read_exactly
from tests.support.server_processes import serving, take_part_again
from tests.support.waiting import PATIENCE, wait_until
from tests.support.wireshark import needs_tshark


@contextlib.contextmanager
def started(*arguments: str, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The command, ended with the block if it still runs."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    child = netlab("wire", *arguments, **pipes, **more)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def address(server: socket.socket) -> str:
    return str(endpoint(server))


def bare_port(child: subprocess.Popen[bytes]) -> int:
    """The port that the first line names."""
    assert child.stdout
    words = child.stdout.readline().decode().split()
    assert words[:2] == ["listening", "on"] and words[3] == "→"
    return int(words[2].rpartition(":")[2])


class Supervised:
    """The lab's side of a supervised wire."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.child = child

    def ask(self, request: str, **more: object) -> None:
        assert self.child.stdin
        self.child.stdin.write(json.dumps({"request": request, **more}).encode() + b"\n")
        self.child.stdin.flush()

    def next(self, event: str) -> dict[str, Any]:
        """The next event of this name; others before it are passed over."""
        assert self.child.stdout
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and (line := self.child.stdout.readline()):
            message: dict[str, Any] = json.loads(line)
            if message["event"] == event:
                return message
        raise AssertionError(f"no {event}")


@contextlib.contextmanager
def supervised(*arguments: str) -> Iterator[Supervised]:
    with started("--supervised", *arguments) as child:
        yield Supervised(child)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_with_a_complete_file(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with listening() as server, started("--to", address(server), "--write", str(path)) as child:
        client = socket.create_connection(("127.0.0.1", bare_port(child)), PATIENCE)
        with client, accept(server) as accepted:
            client.sendall(b"Hello")
            assert accepted.recv(10) == b"Hello"
            child.send_signal(number)
            out, err = child.communicate(timeout=2)
            assert child.returncode == 0 and err == b""
            with pytest.raises(ConnectionResetError):
                client.recv(10)
    lines = out.decode().splitlines()
    assert lines[0] == f"flow 1 opened by {endpoint_of(path)}"
    assert lines[1] == "flow 1 closed: → 5 bytes, ← 0 bytes (dropped by the wire)"
    assert lines[2] == "1 flows, 3 segments, → 5 bytes, ← 0 bytes"
    assert lines[3] == f"{path}: {path.stat().st_size} bytes"
    assert bytes(conversations(path)[0].to_server.data) == b"Hello"


def test_a_server_that_comes_after_the_wire_is_found() -> None:
    with listening() as before:
        server = endpoint(before)
    with started("--to", str(server)) as child:
        port = bare_port(child)
        assert child.stderr and b"nothing listens" in child.stderr.readline()
        with socket.create_server(server) as came:

            def connected() -> socket.socket | None:
                with contextlib.suppress(ConnectionError):
                    return socket.create_connection(("127.0.0.1", port), PATIENCE)
                return None

            with wait_until(connected), came.accept()[0]:
                pass


@needs_tshark
def test_wireshark_reads_tls_between_other_peoples_programs(tmp_path: Path) -> None:
    certificates, path = certs.ensure(tmp_path / "certs"), tmp_path / "c.pcapng"
    with serving("tls", "--certificates", str(certificates)) as server:
        target = "{}:{}".format(*server.address)
        with started("--to", target, "--write", str(path)) as child:
            client = Client(("127.0.0.1", bare_port(child)), certificates=certificates, timeout=PATIENCE)
            client.send(b"Hello")
            assert client.recv() == b"Hello"
            client.close()
            assert child.stdout
            while not child.stdout.readline().startswith(b"flow 1 closed"):  # else the wire resets the server
                assert child.poll() is None
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=PATIENCE)
    wanted = ["-T", "fields", "-e", "tcp.dstport", "-e", "tls.handshake.extensions_server_name"]
    greeting = wireshark.run(path, "-Y", "tls.handshake.type == 1", *wanted).split()
    assert greeting == [str(server.address[1]), "localhost"]
    assert wireshark.run(path, "-Y", "tls.alert_message || tcp.flags.reset == 1") == ""


def endpoint_of(path: Path) -> str:
    host, port = conversations(path)[0].client
    return f"{host}:{port}"


def test_a_flood_of_flows_is_counted_not_printed(tmp_path: Path) -> None:
    with listening() as server, started("--to", address(server)) as child:
        port = bare_port(child)
        for _ in range(200):
            socket.create_connection(("127.0.0.1", port)).close()
            accept(server).close()
        child.terminate()
        out, _ = child.communicate(timeout=10)
    lines = out.decode().splitlines()
    skipped = sum(int(line.split()[1]) for line in lines if line.startswith("… "))
    assert skipped > 100
    assert skipped + sum(line.startswith("flow ") for line in lines) == 400


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "--to"),
        (["--to", "nonsense"], "not HOST:PORT"),
        (["--to", "127.0.0.1:70000"], "not HOST:PORT"),
        (["--to", "127.0.0.1:" + "1" * 5000], "not HOST:PORT"),
        (["--to", "\udcff:9"], "not HOST:PORT"),
        (["--to", "127.0.0.1:1", "--limit", "lots"], "is not a size such as"),
        (["--to", "127.0.0.1:1", "--fault", "gremlins"], "gremlins"),
    ],
)
def test_usage_errors_exit_2(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert reason in capsys.readouterr().err


def test_help_names_every_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    told = capsys.readouterr().out
    assert exit_.value.code == 0
    assert catalog.offered()
    for kind in catalog.offered():
        assert f"\n  {kind.name} " in told and kind.help in told


def test_a_port_in_use_is_one_clear_line() -> None:
    with listening() as server, started("--to", "127.0.0.1:1", "--listen", address(server)) as child:
        out, err = child.communicate(timeout=PATIENCE)
        assert child.returncode == 1 and out == b""
        assert err.decode().splitlines() == [
            f"netlab wire: cannot listen on {address(server)}: port in use; port 0 takes any free one"
        ]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
@pytest.mark.parametrize("options", [[], ["--udp"]])
def test_a_wire_to_itself_is_refused(options: list[str], host: str) -> None:
    kind = socket.SOCK_DGRAM if options else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with started("--listen", f"{host}:{port}", "--to", f"127.0.0.1:{port}", *options) as child:
        out, told = child.communicate(timeout=PATIENCE)
        assert (child.returncode, out) == (1, b"")
        assert b"the wire itself" in told


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with started("--to", "127.0.0.1:1", "--write", str(tmp_path)) as child:
        out, err = child.communicate(timeout=PATIENCE)
        assert child.returncode == 1 and out == b""
        assert err.decode() == f"netlab wire: cannot write {tmp_path}: Is a directory\n"


def test_a_capture_that_is_there_already_is_kept(tmp_path: Path) -> None:
    path, kept = tmp_path / "lab.pcapng", tmp_path / "lab.pcapng~"
    path.write_bytes(b"precious")
    with listening() as server, started("--to", address(server), "--write", str(path)) as child:
        bare_port(child)
        child.terminate()
        assert child.communicate(timeout=PATIENCE)[1].decode() == f"netlab wire: what was in {path} is now in {kept}\n"
    assert (path.read_bytes()[:4], kept.read_bytes()) == (bytes.fromhex("0a0d0d0a"), b"precious")
    path.write_bytes(b"")  # as mktemp leaves it
    with started("--to", "127.0.0.1:1", "--write", str(path)) as child:
        bare_port(child)
    assert kept.read_bytes() == b"precious"


def test_who_stops_reading_ends_it() -> None:
    with listening() as server, started("--to", address(server)) as child:
        port = bare_port(child)
        assert child.stdout
        child.stdout.close()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
        assert child.wait(PATIENCE) == 0
        child.stdout = None


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process can be set on Linux alone")
def test_without_descriptors_clients_wait_and_it_is_said_once() -> None:
    with listening() as server, started("--to", address(server)) as child:
        port = bare_port(child)
        used = len(list(Path(f"/proc/{child.pid}/fd").iterdir()))
        before = resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (used, 20_000))
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(b"Hello")
            assert child.stderr
            assert "cannot accept for now: Too many open files" in child.stderr.readline().decode()
            resource.prlimit(child.pid, resource.RLIMIT_NOFILE, before)
            with accept(server) as accepted:
                assert accepted.recv(10) == b"Hello"
        child.terminate()
        assert child.communicate(timeout=PATIENCE)[1] == b""


def test_with_one_descriptor_left_nobody_is_reset_and_it_is_said_once() -> None:
    with listening() as server, started("--to", address(server)) as child, contextlib.ExitStack() as clients:
        port = bare_port(child)
        used = len(list(Path(f"/proc/{child.pid}/fd").iterdir()))
        before = resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (used + 1, 20_000))
        waiting = [clients.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE)) for _ in range(20)]
        assert child.stderr
        assert "cannot accept for now: Too many open files" in child.stderr.readline().decode()
        resource.prlimit(child.pid, resource.RLIMIT_NOFILE, before)
        for client in waiting:
            client.sendall(b"Hello")
            with accept(server) as accepted:
                assert accepted.recv(10) == b"Hello"
        child.terminate()
        assert child.communicate(timeout=PATIENCE)[1] == b""


def test_the_lab_aims_listens_and_reads_along(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with listening() as server, supervised("--write", str(path), "--yield-cpu") as wire:
        port = wire.next("listening")["port"]
        wire.ask("target", host="127.0.0.1", port=endpoint(server).port)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client, accept(server) as accepted:
            client.sendall(b"Hello")
            assert accepted.recv(10) == b"Hello"
            while (captured := wire.next("captured"))["accounts"]["to_server"] < 5:
                pass
            accounts = captured["accounts"]
            wanted = {
                "flows": 1,
                "open_flows": 1,
                "left_flows": 0,
                "segments": 2,
                "to_server": 5,
                "to_client": 0,
                "kept": 2,
                "let_go": 0,
                "uncaptured": 0,
            }
            assert (accounts, captured["note"]) == (wanted, "")
            whole = path.read_bytes()[: captured["length"]]
            assert bytes(conversations(whole)[0].to_server.data) == b"Hello"
            wire.ask("sync", id="seven")
            assert wire.next("synced")["id"] == "seven"


def test_a_pause_and_a_new_place_to_listen() -> None:
    with listening() as server, supervised("--to", address(server)) as wire:
        first = wire.next("listening")
        wire.ask("pause")
        wire.next("paused")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((first["host"], first["port"]))
        taken = endpoint(server)
        wire.ask("listen", host=taken.host, port=taken.port)
        failed = wire.next("failed")
        assert (failed["errno"], failed["port"], failed["text"]) == (98, taken.port, "Address already in use")
        wire.ask("listen", host=first["host"], port=first["port"])
        assert wire.next("listening")["port"] == first["port"]
        with socket.create_connection((first["host"], first["port"]), PATIENCE) as client, accept(server) as accepted:
            client.sendall(b"back")
            assert accepted.recv(20) == b"back"


def test_a_restarted_capture_and_dropped_flows(tmp_path: Path) -> None:
    second = tmp_path / "second.pcapng"
    with listening() as server, supervised("--to", address(server), "--write", str(tmp_path / "first.pcapng")) as wire:
        port = wire.next("listening")["port"]
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client, accept(server):
            while not wire.next("captured")["accounts"]["flows"]:
                pass
            wire.ask("restart-capture", file=str(second))
            assert wire.next("replaced")["file"] == str(second)
            assert wire.next("captured")["length"] == second.stat().st_size
            wire.ask("drop-flows")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            while wire.next("captured")["accounts"]["open_flows"]:
                pass
            assert conversations(second)[0].reset


def test_faults_are_named_as_they_act() -> None:
    with supervised() as wire:
        wire.ask("faults", specs=["noop ->"], seed=1)
        assert wire.next("faults")["active"] == ["noop →"]
        wire.ask("faults", specs=["none"])
        assert wire.next("faults")["active"] == []


def test_what_is_no_request_is_told_and_survived() -> None:
    with supervised() as wire:
        assert wire.child.stdin and wire.child.stderr
        wire.child.stdin.write(b'nonsense\n{"request": "fly"}\n[]\n{"request": "target", "host": 1, "port": "x"}\n')
        wire.ask("sync", id=1)
        assert wire.next("synced")["id"] == 1
        assert [wire.child.stderr.readline()[:13] for _ in range(4)] == [b"not a request"] * 4


def test_it_ends_with_its_supervisor(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with listening() as server, supervised("--to", address(server), "--write", str(path)) as wire:
        port = wire.next("listening")["port"]
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client, accept(server) as accepted:
            client.sendall(b"Hello")
            assert accepted.recv(10) == b"Hello"
            assert wire.child.stdin
            wire.child.stdin.close()
            assert wire.child.wait(2) == 0
        wire.child.stdin = None
    assert len(frames(path.read_bytes())) >= 5


def test_yielding_sets_the_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETLAB_PRIORITY")
    with supervised("--yield-cpu") as wire:
        wire.next("listening")
        policy = os.sched_getscheduler(wire.child.pid)
        assert policy == os.SCHED_IDLE or os.getpriority(os.PRIO_PROCESS, wire.child.pid) == 19
        take_part_again(wire.child.pid)


def test_it_loads_nothing_that_is_slow() -> None:
    code = (
        "import sys; from netlab.commands.wire import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'textual', 'rich', 'cryptography', 'asyncio', 'netlab.ui', 'netlab.lab', 'netlab.topics'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_udp_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(PATIENCE)
        with started("--to", address(server), "--udp", "--write", str(path)) as child:
            port = bare_port(child)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"time?", ("127.0.0.1", port))
                assert server.recv(10) == b"time?"
            child.terminate()
            child.communicate(timeout=2)
            assert child.returncode == 0
    assert conversations(path)[0].to_server.datagrams == [b"time?"]


def test_a_full_capture_is_said_without_a_command_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with listening() as server, started("--to", address(server), "--write", str(path), "--limit", "64K") as child:
        with socket.create_connection(("127.0.0.1", bare_port(child)), PATIENCE) as client, accept(server) as accepted:
            client.sendall(bytes(200_000))
            assert len(read_exactly(accepted, 200_000)) == 200_000
        child.terminate()
        out, _ = child.communicate(timeout=PATIENCE)
    assert "capture full: payload beyond 64 KiB is not kept" in out.decode().splitlines()


def test_faults_from_the_command_line_come_after_the_address() -> None:
    with listening() as server, started("--to", address(server), "--fault", "noop ->") as child:
        port = bare_port(child)
        assert child.stdout
        assert child.stdout.readline().decode() == "faults: noop →\n"
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client, accept(server) as accepted:
            client.sendall(b"Hello")
            assert accepted.recv(10) == b"Hello"


def test_tail_of_a_long_transfer_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.pcapng"
    with listening() as server, started("--to", address(server), "--write", str(path), "--limit", "1M") as child:
        with socket.create_connection(("127.0.0.1", bare_port(child)), PATIENCE) as client, accept(server) as accepted:
            client.sendall(bytes(200_000))
            client.shutdown(socket.SHUT_WR)
            assert len(read_all(accepted)) == 200_000
            accepted.close()
            assert read_all(client) == b""
        assert child.stdout
        wait_until(lambda: b"closed" in child.stdout.readline())
        child.terminate()
        child.communicate(timeout=2)
    (flow,) = conversations(path)
    assert len(flow.to_server.data) == 200_000 and flow.to_client.fin


def exchange(port: int, server: socket.socket, rounds: int, size: int = 1000) -> None:
    """Bytes to the server and back, one flow."""
    with socket.create_connection(("127.0.0.1", port)) as client, accept(server) as accepted:
        for _ in range(rounds):
            client.sendall(bytes(size))
            read_exactly(accepted, size)
            accepted.sendall(bytes(size))
            read_exactly(client, size)


@pytest.mark.parametrize("rounds", [10, 300])
def test_the_newest_are_kept_and_end_up_in_one_file(tmp_path: Path, rounds: int) -> None:
    file = tmp_path / "new.pcapng"
    with listening() as server:
        keeping = ("--write", str(file), "--limit", "64K", "--keep", "newest")
        with started("--to", address(server), *keeping) as child:
            exchange(bare_port(child), server, rounds)
            child.terminate()
            said = child.communicate(timeout=PATIENCE)[0].decode()
    assert ("segments were let go" in said) == (rounds > 100)
    assert f"{file}: {file.stat().st_size} bytes" in said
    assert list(tmp_path.iterdir()) == [file], "its files are put together"
    with Capture.of_file(file) as capture:
        capture.grow()
        assert len(capture.segments) == 3 + 2 * rounds
        assert {bytes(s.data) for s in capture.segments if s.length} == {bytes(1000)}


@needs_tshark
def test_a_capture_on_standard_output_is_nothing_but_pcapng(tmp_path: Path) -> None:
    with listening() as server, started("--to", address(server), "--write", "-") as child:
        assert child.stdout and child.stderr
        port = int(child.stderr.readline().split()[2].rpartition(b":")[2])
        tshark = subprocess.Popen(
            ["tshark", "-l", "-r", "-", "-Tfields", "-etcp.len"], stdin=child.stdout, stdout=subprocess.PIPE
        )
        with tshark:
            assert tshark.stdout
            exchange(port, server, 3, 77)
            lengths = [line for _ in range(13) if (line := tshark.stdout.readline().strip()) != b"0"]
            assert lengths[:6] == [b"77"] * 6, "seen while the wire runs"
            child.terminate()
            assert tshark.wait(PATIENCE) == 0, "and whole at its end"
            said = child.stderr.read().decode()
    assert "flow 1 opened by" in said and "1 flows, 9 segments" in said


def test_a_reader_that_stalls_delays_nobody_and_gets_whole_blocks(tmp_path: Path) -> None:
    with listening() as server, started("--to", address(server), "--write", "-") as child:
        assert child.stdout and child.stderr
        port = int(child.stderr.readline().split()[2].rpartition(b":")[2])
        exchange(port, server, 100, 200_000)  # nobody reads meanwhile
        child.stdout.flush()
        got = bytearray()
        child.terminate()
        while piece := child.stdout.read(1 << 16):
            got += piece
        said = child.stderr.read().decode()
    assert "does not keep up" in said and re.search(r"\d+ segments were not kept", said)
    (tmp_path / "got.pcapng").write_bytes(got)
    with Capture.of_file(tmp_path / "got.pcapng") as capture:
        capture.grow()
        assert not capture.problem
        assert 1_000_000 < sum(s.length for s in capture.segments) < 20_000_000


def test_a_reader_that_leaves_ends_the_writing_and_not_the_wire() -> None:
    with listening() as server, started("--to", address(server), "--write", "-") as child:
        assert child.stdout and child.stderr
        port = int(child.stderr.readline().split()[2].rpartition(b":")[2])
        exchange(port, server, 2)
        child.stdout.close()
        exchange(port, server, 2)
        exchange(port, server, 2)
        child.terminate()
        said = child.stderr.read().decode()
        assert child.wait(PATIENCE) == 0
    assert "nobody reads the capture any more" in said and "3 flows" in said


def test_a_fifo_whose_reader_comes_later_has_it_all(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with listening() as server, started("--to", address(server), "--write", str(fifo)) as child:
        exchange(bare_port(child), server, 2)
        with fifo.open("rb") as reader:
            child.terminate()
            (tmp_path / "got.pcapng").write_bytes(reader.read())
        child.communicate(timeout=PATIENCE)
    with Capture.of_file(tmp_path / "got.pcapng") as capture:
        capture.grow()
        assert len(capture.segments) == 7 and not capture.problem
    assert fifo.is_fifo()


SCENE = """
[[wire]]
name = "first"
to = "{to}"
faults = ["corrupt bit 5 byte 0 if 'shout'"]

[[wire]]
name = "a second"
to = "{to}"
listen = "{listen}"
"""


def scene(folder: Path, to: str, listen: str = "127.0.0.1:0") -> str:
    (folder / "scene.toml").write_text(SCENE.format(to=to, listen=listen))
    return str(folder / "scene.toml")


def next_lines(child: subprocess.Popen[bytes], wanted: str, count: int) -> dict[str, str]:
    """The next lines of so many wires that contain the words, by the wire's name."""
    found: dict[str, str] = {}
    assert child.stdout
    while len(found) < count:
        name, _, line = child.stdout.readline().decode().partition(": ")
        assert name, "it has ended"
        if wanted in line:
            found[name] = line
    return found


def test_a_scene_is_a_wire_for_each_of_its_entries(tmp_path: Path) -> None:
    with (
        listening() as server,
        started(scene(tmp_path, address(server)), "--write", str(tmp_path / "lab.pcapng")) as child,
    ):
        lines = next_lines(child, "listening on", 2)
        for name, arrives in (("first", b"Shout"), ("a second", b"shout")):
            port = int(lines[name].split()[2].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as client, accept(server) as accepted:
                client.sendall(b"shout")
                assert read_exactly(accepted, 5) == arrives
        child.terminate()
        assert child.wait(PATIENCE) == 0
    assert {file.name for file in tmp_path.glob("*.pcapng")} == {"lab-first.pcapng", "lab-a_second.pcapng"}


def test_a_scene_ends_whole_if_one_of_its_wires_cannot_listen_and_after_kill_9(tmp_path: Path) -> None:
    with listening() as server, started(scene(tmp_path, address(server), address(server))) as child:
        said = child.communicate(timeout=PATIENCE)[1].decode()
        assert child.returncode == 1 and "a second: netlab wire: cannot listen on" in said
    with listening() as server, started(scene(tmp_path, address(server))) as child:
        lines = next_lines(child, "listening on", 2)
        child.kill()
        child.wait(PATIENCE)
        for line in lines.values():
            port = int(line.split()[2].rpartition(":")[2])
            wait_until(lambda port=port: socket.socket().connect_ex(("127.0.0.1", port)) != 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "scene.toml, line 4: "),
        (["--to", "127.0.0.1:1"], "the scene says where"),
        (["--write", "-"], "takes one wire"),
    ],
)
def test_a_wrong_scene_says_what_and_where(tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "scene.toml").write_text('[[wire]]\nname = "first"\nto = "127.0.0.1:1"\nfaults = ["dely 1s"]\n')
    with started(str(tmp_path / "scene.toml"), *arguments) as child:
        said = child.communicate(timeout=PATIENCE)[1].decode()
    assert child.returncode == 2 and says in said
