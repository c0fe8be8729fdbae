"""The ``netlab`` command: what it lists, how it fails, what importing it costs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from netlab import __version__, cli
from tests.support.waiting import PATIENCE


def python(*arguments: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, env=environment)


def test_importing_it_imports_no_command() -> None:
    told = python("-X", "importtime", "-c", "import netlab.cli").stderr
    loaded = {line.rpartition("|")[2].strip() for line in told.splitlines()}
    assert "netlab.cli" in loaded
    assert {name for name in loaded if name.startswith("netlab.")} == {"netlab.cli"}
    assert not loaded & {"argparse", "asyncio", "textual", "cryptography", "importlib.metadata"}


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    told = capsys.readouterr().out
    for name, command in cli.COMMANDS.items():
        assert f"  netlab {name} " in told
        assert callable(command.main())


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"netlab {__version__}\n"


def test_an_unknown_word_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["nothing"]) == 2
    usage, error = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: netlab [TOPIC] [options] | netlab {serve|")
    assert error == "netlab: error: there is no command or topic 'nothing'"


@pytest.mark.parametrize(("arguments", "want"), [([], []), (["tcp"], ["tcp"]), (["--limit", "1"], ["--limit", "1"])])
def test_a_topic_or_nothing_opens_the_app(
    arguments: list[str], want: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Sequence[str]] = []

    def app(argv: Sequence[str]) -> int:
        seen.append(argv)
        return 0

    monkeypatch.setattr(cli, "APP", cli.Subcommand("netlab.cli", "", ""))  # a module that is there
    monkeypatch.setattr(cli.Subcommand, "main", lambda self: app)
    assert cli.main(arguments) == 0
    assert seen == [want]


@pytest.mark.parametrize(("raised", "status"), [(KeyboardInterrupt(), 130)])
def test_ctrl_c_is_quiet(
    raised: BaseException, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(argv: Sequence[str]) -> int:
        raise raised

    monkeypatch.setattr(cli, "_dispatch", interrupted)
    assert cli.main([]) == status
    assert capsys.readouterr() == ("", "")


def test_output_that_nobody_reads_leaves_no_traceback() -> None:
    reader = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.close()"], stdin=subprocess.PIPE)
    assert reader.stdin is not None
    reader.wait()
    told = python("-m", "netlab", "serve", "--help", stdout=reader.stdin.fileno())
    reader.stdin.close()
    assert told.stderr == ""
    assert told.returncode != 0


def test_what_the_encoding_lacks_stops_nothing() -> None:
    command = [sys.executable, "-m", "netlab", "--help"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)
    assert (told.returncode, told.stderr) == (0, "")
    assert r"\u2026" in told.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["serve", "--help"], ["wire", "--help"]])
def test_a_full_disk_is_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        told = python("-m", "netlab", *arguments, stdout=full.fileno())
    assert told.returncode == 1
    assert told.stderr.startswith("netlab: ")
    assert told.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="closes descriptors by sh")
@pytest.mark.parametrize("arguments", ["--version", "serve --help"])
def test_closed_streams_are_no_failure(arguments: str) -> None:
    shell = ["sh", "-c", f'exec "$0" -m netlab {arguments} <&- >&-', sys.executable]
    told = subprocess.run(shell, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="closes descriptors by sh")
def test_no_socket_takes_the_place_of_a_closed_stream() -> None:
    shell = ["sh", "-c", 'exec "$0" -m netlab serve tcp --port 0 --supervised <&-', sys.executable]
    told = subprocess.run(shell, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert told.returncode == 0  # at the end of its input, which is there at once
