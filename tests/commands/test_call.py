from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from xmlrpc.server import SimpleXMLRPCServer

import pytest

from netlab.commands.call import main
from tests.support.echo import EchoServer


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
        (["tcp"], "EXPRESSION"),
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
