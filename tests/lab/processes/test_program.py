"""A person's own program as a lab's server: it serves, stops, starts and dies, and nothing of it is left."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from netlab.capture.model import Transport
from netlab.kernel.holders import descendants, process
from netlab.lab import Lab
from netlab.lab.errors import LabError
from netlab.lab.processes.programs.program import Program, free_port, program_name
from netlab.lab.state import Phase
from tests.support.waiting import PATIENCE, wait_until

SHOUT = """
    import socket, sys
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
        print("ready")
        while True:
            client, _ = listener.accept()
            with client:
                while got := client.recv(8192):
                    if got == b"die":
                        sys.exit("I was told to")
                    client.sendall(got.upper())
"""


def script(folder: Path, text: str, name: str = "server.py") -> str:
    file = folder / name
    file.write_text(textwrap.dedent(text))
    return str(file)


def python(folder: Path, text: str, *more: str, port: int | None = None, grace: float = 10.0) -> Program:
    return Program((sys.executable, script(folder, text), *more), port, grace)


def said(lab: Lab, word: bytes) -> bytes:
    with socket.create_connection(lab.address, timeout=PATIENCE) as client:
        client.sendall(word)
        return client.recv(8192)


def log(lab: Lab) -> list[str]:
    return [line.text for line in lab.log]


def left(lab: Lab) -> frozenset[int]:
    """What descends from the supervising child, and it itself."""
    return descendants(lab.state.server_pid or 0)


def gone(pids: frozenset[int]) -> bool:
    return not any(process(pid) for pid in pids)


def test_it_serves_at_a_free_port_logs_stops_and_starts(tmp_path: Path) -> None:
    with Lab("tcp", server=python(tmp_path, SHOUT, "{port}")) as lab:
        assert said(lab, b"hello") == b"HELLO"
        wait_until(lambda: "ready" in log(lab))
        at, started = lab.address, left(lab)
        assert len(started) == 2
        lab.stop()
        assert lab.state.phase is Phase.STOPPED
        assert gone(started)
        assert "netlab: SIGTERM to 1 process; SIGKILL follows in 10 s" in log(lab)
        lab.start()
        assert (lab.address, said(lab, b"again")) == (at, b"AGAIN")
        started = left(lab)
    wait_until(lambda: gone(started))


def test_a_death_says_its_last_words_and_status_and_starting_serves_again(tmp_path: Path) -> None:
    with Lab("tcp", server=python(tmp_path, SHOUT, "{port}")) as lab:
        assert said(lab, b"die") == b""
        wait_until(lambda: lab.state.phase is Phase.DEAD)
        words = "the server died: server.py ended with exit status 1; it last wrote: I was told to"
        assert lab.state.problem == words
        lab.start()
        assert said(lab, b"hello") == b"HELLO"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("/no/such/program",), "there is no program '/no/such/program' here"),
        (("./plain",), "./plain may not be executed; for a script, name its interpreter first"),
        ((sys.executable, "-c", "import os; os._exit(3)"), "ended with exit status 3 and wrote nothing"),
    ],
)
def test_what_does_not_start_says_why(arguments: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    script(tmp_path, "", "plain")
    with pytest.raises(LabError, match=re.escape(reason)), Lab("tcp", server=Program(arguments, cwd=tmp_path)):
        pass


DUAL = """
    import socket, sys
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(("::", 0))
    listener.listen()
    print(listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        client.sendall(b"by IPv6")
        client.close()
"""


def test_without_a_port_the_wire_leads_to_wherever_it_listens(tmp_path: Path) -> None:
    with Lab("tcp", server=python(tmp_path, DUAL)) as lab:
        assert said(lab, b"") == b"by IPv6"
        assert lab.state.server_address is not None
        assert lab.state.server_address.host == "::1"


def test_a_port_that_it_does_not_use_is_named_and_it_can_be_stopped_meanwhile(tmp_path: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    lab = Lab("tcp", server=python(tmp_path, SHOUT.replace("int(sys.argv[1])", "0"), port=port))
    try:
        starting = threading.Thread(target=lab.start)
        starting.start()
        progress = wait_until(lambda: (found := lab.state.progress) and found.elsewhere and found)
        assert (progress.port, len(progress.elsewhere), progress.kill_in) == (port, 1, None)
        assert progress.foreign
        assert progress.seconds >= 1
        lab.hurry()
        starting.join(PATIENCE)
        assert lab.state.phase is Phase.STOPPED
    finally:
        lab.close()
        taken.close()


STUBBORN = """
    #!/bin/sh
    trap 'echo no' TERM
    trap 'echo hup' HUP
    python3 -c '
    import signal, socket, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True: time.sleep(60)
    ' $1 &
    setsid sleep 1000 &
    while :; do wait; done
"""


def test_a_stubborn_script_gets_its_grace_and_a_second_request_kills_at_once(tmp_path: Path) -> None:
    program = Program(("sh", script(tmp_path, STUBBORN, "run.sh"), "{port}"), None, 300.0)
    with Lab("tcp", server=program) as lab:
        started = left(lab)
        assert len(started) == 4
        stopping = threading.Thread(target=lab.stop)
        stopping.start()
        wait_until(lambda: (found := lab.state.progress) and found.kill_in)
        assert lab.state.phase is Phase.STOPPING
        wait_until(lambda: "no" in log(lab))
        lab.hurry()
        stopping.join(PATIENCE)
        assert lab.state.phase is Phase.STOPPED
        assert gone(started)
        assert any(text.startswith("netlab: SIGKILL to ") for text in log(lab))
        assert "hup" not in log(lab)


def test_after_the_grace_it_is_killed(tmp_path: Path) -> None:
    program = Program(("sh", script(tmp_path, STUBBORN, "run.sh"), "{port}"), None, 0.2)
    with Lab("tcp", server=program) as lab:
        started = left(lab)
        lab.stop()
        assert gone(started)


DAEMON = """
    import os, sys, socket
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for each in range(3):
        os.dup2(null, each)
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        client, _ = listener.accept()
        if client.recv(100) == b"die":
            os.abort()
        client.sendall(b"from a daemon")
        client.close()
"""


def test_a_daemon_is_not_dead_and_ends_with_the_lab(tmp_path: Path) -> None:
    with Lab("tcp", server=python(tmp_path, DAEMON, "{port}")) as lab:
        assert said(lab, b"?") == b"from a daemon"
        assert lab.state.phase is Phase.SERVING
        started = left(lab)
        assert any("has ended; what it started goes on" in text for text in log(lab))
        lab.stop()
        assert gone(started)
        lab.start()
        said(lab, b"die")
        wait_until(lambda: lab.state.phase is Phase.DEAD)
        assert "was killed by signal 6" in lab.state.problem


LEFT_BEHIND = """
    import os, socket, subprocess, sys
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
        client, _ = listener.accept()
        print("no more\\n" * 5000 + "the end", flush=True)
        os._exit(5)
"""


def test_what_a_program_left_behind_does_not_keep_it_alive_and_a_flood_shows_its_end(tmp_path: Path) -> None:
    with Lab("tcp", server=python(tmp_path, LEFT_BEHIND, "{port}")) as lab:
        started = left(lab)
        assert len(started) == 3
        socket.create_connection(lab.address).close()
        wait_until(lambda: lab.state.phase is Phase.DEAD)
        assert "server.py ended with exit status 5; it last wrote: the end" in lab.state.problem
        wait_until(lambda: gone(started))
        wait_until(lambda: "the end" in log(lab))
        assert any("lines were left out" in text for text in log(lab))


FIXED = SHOUT.replace("int(sys.argv[1])", "{port}").replace("import socket, sys", "import socket, sys  # {word}")


def test_one_that_wants_a_fixed_port_gives_way_before_its_next_version_starts(tmp_path: Path) -> None:
    port = free_port(Transport.TCP)
    program = python(tmp_path, FIXED.format(port=port, word="first"))
    with Lab("tcp", server=program) as lab:
        at, started = lab.address, left(lab)
        with socket.create_connection(at, timeout=PATIENCE) as client:
            client.sendall(b"one")
            assert client.recv(100) == b"ONE"
            lab.set_server(python(tmp_path, FIXED.format(port=port, word="second")), "server.py was saved")
            with pytest.raises(ConnectionResetError):
                client.recv(100)
        assert gone(started)
        assert (lab.address, said(lab, b"two")) == (at, b"TWO")
        with pytest.raises(LabError, match="SyntaxError"):
            lab.set_server(python(tmp_path, "def"), "server.py was saved")
        assert lab.state.phase is Phase.FAILED


APP = """
    import sys
    from netlab.lab import Lab
    from netlab.lab.processes.programs.program import Program
    lab = Lab("tcp", server=Program(tuple(sys.argv[1:]), None, 0.5))
    lab.start()
    print(lab.state.server_pid, flush=True)
    input()
"""


def test_kill_9_of_the_app_leaves_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-c", textwrap.dedent(APP), "sh", script(tmp_path, STUBBORN, "run.sh"), "{port}"]
    app = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert app.stdout is not None and app.stdin is not None
    started = descendants(int(app.stdout.readline()))
    assert len(started) == 4
    app.send_signal(signal.SIGKILL)
    app.wait(PATIENCE)
    app.stdin.close()
    app.stdout.close()
    wait_until(lambda: gone(started))


def test_closing_does_not_wait_for_the_grace_and_the_supervising_child_finishes(tmp_path: Path) -> None:
    program = Program(("sh", script(tmp_path, STUBBORN, "run.sh"), "{port}"), None, 3.0)
    with Lab("tcp", server=program) as lab:
        started = left(lab)
    assert not gone(started)
    wait_until(lambda: gone(started))


ECHO = """
    import os, select, socket, sys
    print(os.environ["PYTHONUNBUFFERED"], os.environ.get("PYTHONPATH"), os.environ["OF_MINE"], os.getcwd())
    print("input:", select.select([0], [], [], 0)[0])
    sys.stdout.write("more? ")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    while True:
        got, peer = sock.recvfrom(8192)
        sock.sendto(got.upper(), peer)
"""


def test_datagrams_an_unfinished_line_and_its_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    arguments = (sys.executable, script(tmp_path, ECHO), "{port}")
    with Lab("udp", server=Program(arguments, cwd=tmp_path, environment=(("OF_MINE", "1"),))) as lab:
        wait_until(lambda: "more? " in log(lab))
        assert log(lab)[:2] == [f"1 None 1 {tmp_path}", "input: []"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.sendto(b"hello", lab.address)
            assert client.recv(100) == b"HELLO"


def test_the_standard_library_serves_by_http() -> None:
    program = Program((sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}"))
    with Lab("tcp", server=program) as lab:
        assert said(lab, b"GET /no HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 404")
        wait_until(lambda: any("404" in text for text in log(lab)))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("/usr/bin/redis-server --port 1", "redis-server"),
        ("python3.11 -u -m http.server 1", "http.server"),
        ("node server.js", "server.js"),
        ("python3 -c pass", "python3"),
        ("sh", "sh"),
    ],
)
def test_a_program_is_called_by_its_script(line: str, name: str) -> None:
    assert program_name(tuple(line.split())) == name
