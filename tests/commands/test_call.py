from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from xmlrpc.server import SimpleXMLRPCServer

import pytest

from netlab.commands.call import main
from tests.support.echo import EchoServer
from tests.support.forking.process import netlab


def test_results_on_stdout_as_a_prompt_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tcp", "Hello", "send(b'x')", "recv(1)"]) == 0
    out, err = capsys.readouterr()
    assert out == "5\nb'Hello'\n1\nb'x'\n"
    assert err.startswith("# connected from 127.0.0.1:")


def test_a_server_somewhere(capsys: pytest.CaptureFixture[str]) -> None:
    server = EchoServer()
    try:
        assert main(["tcp", "--to", str(server.address), "Hello"]) == 0
    finally:
        server.close()
    assert capsys.readouterr().out == "5\nb'Hello'\n"
    assert main(["tcp", "Hello", "--to", str(server.address)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("netlab call: ConnectionRefusedError: [Errno 111] Connection refused (nothing listens there")


def test_a_call_that_fails_is_one_line_and_what_came_before_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tcp", "send(b'x')", "recv(0)", "send(b'never')"]) == 1
    out, err = capsys.readouterr()
    assert out == "1\n"
    assert err.splitlines()[-1] == "netlab call: ValueError: bufsize is 1 to 16777216"


def test_a_secret_is_the_clients_alone_as_in_a_tab(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["hmac", "--secret", "wrong-horse", "Hello"]) == 1
    told = capsys.readouterr().err
    assert "netlab call: SecretRefused: " in told and "wrong-horse" not in told
    assert main(["hmac", "--secret", "peekaboo", "Hello"]) == 0
    monkeypatch.setenv("NETLAB_SECRET", "another")
    assert main(["hmac", "Hello"]) == 0


def test_a_timeout_names_the_option_of_this_command(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert main(["tcp", "x", "--to", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.1"]) == 1
    assert "--timeout SECONDS sets how long" in capsys.readouterr().err


LINES = """# tries one call after the other

Hello
  send(b'x')
recv(0)
recv(1)
"""


def test_the_lines_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "calls.txt"
    file.write_text(LINES)
    assert main(["tcp", "-f", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == "5\nb'Hello'\n1\n"
    assert err.splitlines()[-1] == f"netlab call: {file}:5: ValueError: bufsize is 1 to 16777216"
    assert main(["tcp", "-f", str(file), "--keep-going"]) == 1
    assert capsys.readouterr().out == "5\nb'Hello'\n1\nb'x'\n"
    file.write_text("Hello\ndance()\n")
    with pytest.raises(SystemExit, match="2"):
        main(["tcp", "-f", str(file)])
    out, err = capsys.readouterr()
    assert out == ""
    assert f"error: {file}:2: no operation dance" in err


def test_a_client_that_cannot_send_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_and_reset, args=(listener,), daemon=True).start()
        to = f"127.0.0.1:{listener.getsockname()[1]}"
        assert (
            main(["tcp", "--to", to, "--keep-going", "send(b'a')", "recv(1)", "send(b'b')", "recv(1)", "send(b'x')"])
            == 1
        )
    assert "BrokenPipeError" in capsys.readouterr().err.splitlines()[-1]


def _answer_and_reset(listener: socket.socket) -> None:
    accepted = listener.accept()[0]
    accepted.recv(1)
    accepted.sendall(b"!")
    accepted.recv(1)
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    accepted.close()


def test_lines_about_views_run_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "views.txt"
    script.write_text("receive(64)\nv = view(0, 8)\nbytes(v[0:2])\ns = segment(2)\nlen(s)\nv.cast('>H')\n")
    assert main(["zerocopy", "-f", str(script)]) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[1:] == ["b'\\x00\\x01'", "13"]
    assert "# 2 bytes copied: the copy begins at 0x" in printed.err
    assert "views.txt:6: ValueError: memoryview: destination format" in printed.err
    assert "# a view has this machine's byte order" in printed.err
    with pytest.raises(SystemExit):
        main(["zerocopy", "v = view(0, 8)", "v[0:2"])
    assert "not complete Python" in capsys.readouterr().err


def test_the_lines_of_standard_input_run_as_they_come() -> None:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with netlab("call", "tcp", "-f", "-", "--keep-going", text=True, **pipes) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.write("send(b'one')\n")
        run.stdin.flush()
        assert run.stdout.readline() == "3\n"
        out, err = run.communicate("# a comment\ndance()\nrecv(100)\n", timeout=60)
    assert (run.returncode, out) == (1, "b'one'\n")
    assert "netlab call: standard input:3: no operation dance" in err


@contextlib.contextmanager
def foreign() -> Iterator[str]:
    """Another XML-RPC server, with introspection; its address."""

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    with SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_function(add)
        server.register_introspection_functions()
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_after_a_refusal_a_server_is_asked_how_its_operation_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    with foreign() as address:
        assert main(["xmlrpc", "--to", address, "add(1, 2)"]) == 0
        assert capsys.readouterr() == ("3\n", "")
        assert main(["xmlrpc", "--to", address, "add(1)"]) == 1
        assert "# add(…): Add two numbers.\n" in capsys.readouterr().err
        assert main(["xmlrpc", "--to", address, "ad(1)"]) == 1
        assert "# did you mean add?\n" in capsys.readouterr().err
    assert main(["xmlrpc", "get(1)"]) == 1
    assert "# get(string) -> any: The value that is stored under a name.\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which topic?"),
        (["nope", "x"], "no topic 'nope'"),
        (["tcp"], "what to call is needed: EXPRESSION …, or -f FILE"),
        (["tcp", "x", "-f", "-"], "what to call is needed: EXPRESSION …, or -f FILE"),
        (["tcp", "-f", "/nothing"], "cannot read /nothing: No such file or directory"),
        (["tcp", "dance()"], "no operation dance"),
        (["tcp", ":model pool"], "is a command to a lab on the screen"),
        (["tcp", "\udcff"], "is not UTF-8"),
        (["xmlrpc", "set('a', '\udcff')"], "is not UTF-8"),
        (["tcp", "x", "--to", "\udcff:1"], "is not HOST:PORT"),
        (["tcp", "x", "--to", "127.0.0.1:" + "1" * 5000], "is not HOST:PORT"),
        (["tcp", "x", "--to", "nowhere"], "is not HOST:PORT"),
        (["tcp", "x", "--to", "127.0.0.1:1", "--model", "pool"], "leave --model out"),
        (["tcp", "x", "--model", "tripling"], "invalid choice"),
        (["tcp", "x", "--timeout", "-1"], "is not a number of seconds"),
    ],
)
def test_usage_errors(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status: object = main(arguments)
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    err = capsys.readouterr().err
    assert "usage:" in err
    assert said in err


def test_as_a_command() -> None:
    words = [sys.executable, "-m", "netlab", "call", "tcp", "Hello", "--model", "threading"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == "5\nb'Hello'\n"
