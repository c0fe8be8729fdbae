"""``netlab serve`` itself: its first line, its failures, its signals, and what a supervisor sees."""

from __future__ import annotations

import argparse
import fcntl
import json
import logging
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from netlab.certificates import authority
from netlab.commands import serve as subject
from netlab.serve.options import add_options, chosen_options
from netlab.topics.contract import Option
from tests.support.forking.process import netlab, run_netlab
from tests.support.server_processes import serving, take_part_again
from tests.support.waiting import PATIENCE, wait_until


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_netlab("serve", *arguments, timeout=PATIENCE, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_status_0_while_a_client_is_served(number: signal.Signals) -> None:
    with serving("tcp") as child, child.connect() as peer:
        peer.sendall(b"Hello")
        assert peer.recv(5) == b"Hello"
        child.process.send_signal(number)
        assert child.process.wait(2) == 0
        socket.create_server(child.address).close()


@pytest.mark.parametrize("options", [[], ["--supervised"]])
def test_no_alarm_is_left_that_would_kill_the_process_at_its_end(options: list[str]) -> None:
    code = (
        "import signal, sys; from netlab import cli; status = cli.main(); print(signal.getitimer(0)); sys.exit(status)"
    )
    command = [sys.executable, "-c", code, "serve", "tcp", "--port", "0", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        assert "listening" in process.stdout.readline()
        process.terminate()
        assert process.stdout.read().endswith("(0.0, 0.0)\n")
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(("topic", "kind"), [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)])
def test_a_stopped_event_loop_leaves_nothing_open(topic: str, kind: socket.SocketKind) -> None:
    options = ["-W", "error", "-X", "dev"]
    with (
        socket.socket(socket.AF_INET, kind) as peer,
        serving(topic, "--model", "asyncio", python=options, stderr=subprocess.PIPE) as child,
    ):
        peer.settimeout(PATIENCE)
        peer.connect(child.address)
        peer.sendall(b"time 1")
        assert peer.recv(100)
        assert child.terminate() == 0
        assert child.process.stderr is not None
        with child.process.stderr as stderr:
            assert stderr.read() == ""


@pytest.mark.parametrize("supervised", [False, True])
def test_a_port_in_use_is_one_clear_line(supervised: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = run("tcp", "--port", str(port), *["--supervised"] * supervised)
    text = f"cannot listen on 127.0.0.1:{port}: port in use; --port 0 takes any free port"
    assert told.returncode == 1
    if supervised:
        assert json.loads(told.stdout) == {"event": "failed", "errno": 98, "text": text}
    else:
        assert (told.stdout, told.stderr) == ("", f"netlab serve: {text}\n")


def test_a_host_that_does_not_exist_is_one_clear_line() -> None:
    told = run("tcp", "--host", "nowhere.invalid", "--port", "0")
    assert (told.returncode, told.stderr) == (1, "netlab serve: cannot listen on nowhere.invalid:0: no such host\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "which topic?"),
        (("nothing",), "no topic 'nothing'; there are tcp, udp"),
        (("a" * 100_000,), "no topic 'aaaa"),
        (("tcp", "--port", "1" * 5000), " is not a port, 0 to 65535"),
        (("tcp", "--host", "\udcff"), r"'\udcff' is not an address"),
        (("tls", "--certificates", ""), "'' is not a folder"),
        (("tcp", "--port", "65536"), "'65536' is not a port, 0 to 65535"),
        (("tcp", "--timeout", "3601"), "'3601' is not a number of seconds, above 0 and at most 3600, or none"),
        (("tcp", "--timeout", "nan"), "'nan' is not a number of seconds"),
        (("tcp", "--model", "nothing"), "invalid choice: 'nothing'"),
        (("tcp", "--host", ""), "'' is not an address; 0.0.0.0 listens on every"),
    ],
)
def test_usage_errors_exit_2_with_the_usage_line(
    arguments: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = subject.main(arguments)
    except SystemExit as ended:
        status = ended.code
    told = capsys.readouterr().err
    assert status == 2
    assert told.startswith("usage: netlab serve")
    assert reason in told


def test_help_names_the_topics(capsys: pytest.CaptureFixture[str]) -> None:
    assert subject.main(["--help"]) == 0
    assert "\n  udp " in capsys.readouterr().out


def test_supervised_it_writes_json_lines_and_ends_with_its_input() -> None:
    with serving("tcp", "--supervised", "--yield-cpu") as child:
        first = json.loads(child.lines[0])
        assert first == {"event": "listening", "host": "127.0.0.1", "port": first["port"], "pid": child.process.pid}
        with socket.create_connection(("127.0.0.1", first["port"]), PATIENCE) as peer:
            peer_name = peer.getsockname()
            child.wait_for(f"accepted 127.0.0.1:{peer_name[1]}")
        child.wait_for("closed")
        logged = [event for event in map(json.loads, tuple(child.lines)) if event["event"] in ("accepted", "closed")]
        assert [set(event) for event in logged] == [{"event", "time_ns", "level", "text", "host", "port"}] * 2
        assert {(event["host"], event["port"]) for event in logged} == {peer_name}
        assert child.process.stdin is not None
        child.process.stdin.close()
        assert child.process.wait(2) == 0
        socket.create_server(("127.0.0.1", first["port"])).close()


@pytest.mark.parametrize("longest", ["3600", "none"])
def test_a_client_may_stall_for_an_hour_or_without_a_limit(longest: str) -> None:
    with serving("tcp", "--model", "asyncio", "--timeout", longest) as child, child.connect() as peer:
        peer.sendall(b"Hello")
        assert peer.recv(5) == b"Hello"


def test_it_serves_on_when_nobody_reads_its_log() -> None:
    with netlab("serve", "tcp", "--port", "0", stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            process.stdout.close()
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as peer:
                    peer.sendall(b"Hello")
                    assert peer.recv(5) == b"Hello"
        finally:
            process.terminate()


@pytest.mark.skipif(not Path("/proc/self/sched").exists(), reason="Linux tells the scheduling policy")
@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="a pipe's size is Linux's to set")
@pytest.mark.parametrize("model", ["single", "threading", "forking", "asyncio"])
def test_a_log_that_nobody_reads_stops_nothing(model: str) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    words = ("serve", "tcp", "--port", "0", "--model", model)
    with (
        netlab(*words, stdin=subprocess.DEVNULL, stdout=writing) as process,
        os.fdopen(reading, "rb") as log,
    ):
        os.close(writing)
        port = int(log.readline().rpartition(b":")[2])
        for _ in range(100):
            echo(port)
        os.set_blocking(reading, False)
        told = log.read()
        os.set_blocking(reading, True)
        echo(port)
        process.terminate()
        assert process.wait(PATIENCE) == 0
        told += log.read()
    assert re.search(rb"(?m)^[\d:]+ warning: \d+ lines were lost because nobody read them$", told)


def echo(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"


@pytest.mark.parametrize("keeps", [False, True], ids=["", "normal"])
def test_yield_cpu_yields_unless_the_environment_keeps_the_priority(
    keeps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not keeps:
        monkeypatch.delenv("NETLAB_PRIORITY")
    with serving("udp", "--yield-cpu") as child:
        fields = Path(f"/proc/{child.process.pid}/stat").read_text().rpartition(")")[2].split()
        policy, nice = int(fields[38]), int(fields[16])
        take_part_again(child.process.pid)
        assert (policy == 5 or nice == 19) is not keeps  # SCHED_IDLE, sched(7)


class FakeServer:
    """A server as far as `Lines.listening` looks; no test listens on all interfaces."""

    def __init__(self, host: str) -> None:
        self.server_address = (host, 20000)
        self.socket = None


@pytest.mark.parametrize(
    ("host", "warned"), [("127.0.0.1", 0), ("127.9.9.9", 0), ("::1", 0), ("0.0.0.0", 1), ("::", 1)]
)
def test_it_warns_when_others_can_reach_it(
    host: str, warned: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    subject.Lines().listening(FakeServer(host))  # type: ignore[arg-type]  # see FakeServer
    assert sum("is not loopback" in message for message in caplog.messages) == warned
    assert capfd.readouterr().out.startswith("listening on ")


@pytest.mark.parametrize("handler", [subject.Lines(), subject.Reports()])
def test_what_peers_sent_passes_the_gate_and_is_cut(handler: subject.Lines, capfd: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s", ("\x1b[2J\x9b\u202e\ud800" + "€" * 5000,), None)
    handler.emit(record)
    line = capfd.readouterr().out
    assert line.count("\n") == 1
    assert not set(line) & set("\x1b\x9b\u202e\ud800")
    assert len(line.encode()) <= 4096


def test_a_crash_is_one_line(tmp_path: Path) -> None:
    code = (
        "import netlab.topics.tcp.server_single as recipe, sys\n"
        "def crash(self, *_): raise RuntimeError('by the test')\n"
        "recipe.Server.serve_forever = crash\n"
        "from netlab.commands.serve import main\n"
        "sys.exit(main(['tcp', '--port', '0']))\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 1
    assert told.stderr == "netlab serve tcp: the server ended: RuntimeError: by the test\n"


# Options.

KEY = Option("auth_key", b"default", "the key", lambda text: text.encode(), secret=True)
SIZE = Option("size", 7, "how much, 100% of it", int)


def chosen(*arguments: str, environ: dict[str, str] | None = None) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_options(parser, (KEY, SIZE))
    return chosen_options(parser.parse_args(arguments), (KEY, SIZE), environ or {})


@pytest.mark.skipif(sys.platform != "linux", reason="what an event loop opens is counted for Linux")
@pytest.mark.parametrize("topic", ["tcp", "udp"])
def test_an_event_loop_that_cannot_begin_is_one_line(topic: str) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))  # three streams, the port, epoll, and no pair

    command = [sys.executable, "-m", "netlab", "serve", topic, "--model", "asyncio", "--port", "0"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=few
    ) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err.count("\n")) == (1, 1)
    assert err.endswith("Too many open files\n")
    assert "Traceback" not in out


def test_options_come_from_flag_then_file_then_environment_then_default(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from file\nmore")
    environ = {"NETLAB_AUTH_KEY": "from environment"}
    assert chosen() == {"auth_key": b"default", "size": 7}
    assert chosen("--size", "8", environ=environ) == {"auth_key": b"from environment", "size": 8}
    assert chosen("--auth-key-file", str(file), environ=environ)["auth_key"] == b"from file"
    assert chosen("--auth-key-file", str(file), "--auth-key", "x", environ=environ)["auth_key"] == b"x"


def test_a_folder_for_certificates_that_cannot_be_made_is_one_line_with_the_option_that_is_there() -> None:
    ended = run("tls", "--port", "0", "--certificates", "/dev/null/certs")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.endswith("--certificates chooses another folder\n")


@pytest.fixture
def persons_own(tmp_path: Path) -> Path:
    """A folder with nothing but a server's certificate and key, which netlab has not made."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, (content, _) in authority.make().items():
        if name in ("server_cert.pem", "server_key.pem"):
            (folder / name).write_bytes(content)
    return folder


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_persons_own_certificate_is_served_and_nothing_in_its_folder_changes(persons_own: Path) -> None:
    before = contents(persons_own)
    with serving("tls", "--certificates", str(persons_own)) as child:
        shown = ssl.get_server_certificate(child.address, timeout=PATIENCE)
        assert shown.strip() == (persons_own / "server_cert.pem").read_text().strip()
        assert child.terminate() == 0
    assert contents(persons_own) == before


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        (("--client-certs", "require"), "ca_cert.pem"),
        (("--present", "expired"), "gallery/expired_cert.pem and gallery/expired_key.pem"),
    ],
)
def test_what_the_options_need_and_the_folder_lacks_is_named(
    persons_own: Path, options: tuple[str, ...], missing: str
) -> None:
    before = contents(persons_own)
    ended = run("tls", "--port", "0", "--certificates", str(persons_own), *options)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"netlab serve: {missing} missing in {persons_own}\n"
    assert contents(persons_own) == before


def test_a_folder_that_lacks_the_key_is_refused_and_left_alone(persons_own: Path) -> None:
    (persons_own / "server_key.pem").unlink()
    before = contents(persons_own)
    ended = run("tls", "--port", "0", "--certificates", str(persons_own))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "server_key.pem is missing" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert contents(persons_own) == before


def test_no_part_of_a_long_line_is_taken_for_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a" * 4096 + "\n")
    assert chosen("--auth-key-file", str(file))["auth_key"] == b"a" * 4096
    file.write_text("a" * 4097)
    with pytest.raises(ValueError, match=r"--auth-key-file: the first line of .* has more than 4096 ch"):
        chosen("--auth-key-file", str(file))


def test_a_bad_option_is_named_and_a_secret_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--size: invalid literal"):
        chosen("--size", "many")
    with pytest.raises(ValueError, match=r"--auth-key-file: cannot read .*nowhere: No such file"):
        chosen("--auth-key-file", str(tmp_path / "nowhere"))
    number = Option("pin", 0, "a number", int, secret=True)
    parser = argparse.ArgumentParser()
    add_options(parser, [number])
    with pytest.raises(ValueError, match="--pin: the value is not usable") as raised:
        chosen_options(parser.parse_args(["--pin", "hunter2"]), [number], {})
    assert "hunter2" not in repr(raised.value)


def test_it_goes_on_serving_after_input_that_is_no_request() -> None:
    with serving("tcp", "--supervised") as child:
        assert child.process.stdin is not None
        child.process.stdin.write("nonsense\n")
        child.process.stdin.flush()
        with socket.create_connection(("127.0.0.1", json.loads(child.lines[0])["port"]), PATIENCE) as peer:
            peer.sendall(b"Hello")
            assert peer.recv(5) == b"Hello"
            wait_until(lambda: any('"gauges"' in line for line in child.lines), "gauges")
        assert child.process.poll() is None
