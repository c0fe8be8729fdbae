"""The options of the app: which lab they ask for, how they are refused, and the app in a terminal with them."""

from __future__ import annotations

import gc
import re
import socket
from pathlib import Path

import pytest

from netlab import cli
from netlab.commands import app
from netlab.commands.app_options import settings_of
from netlab.lab.processes.lab_settings import LabSettings
from netlab.topics.discovery import topic_named, topics
from tests.support.screen.in_terminal import Terminal, nothing_is_left, serving


def test_they_ask_for_a_lab(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("spam\n")
    words = ["--model", "single", "--host", "0.0.0.0", "--port", "0", "--fault", "delay 50ms", "--fault", "slice 1 ->"]
    settings = settings_of(topic_named("multiprocessing"), [*words, "--authkey-file", str(key)])
    assert (settings.model, settings.host, settings.port) == ("single", "0.0.0.0", 0)
    assert settings.faults == ("delay 50ms", "slice 1 ->")
    assert settings.options == {"authkey": b"spam"}


def test_without_options_all_is_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETLAB_AUTHKEY", raising=False)
    topic = topic_named("multiprocessing")
    assert app._settings(topic, []) == settings_of(topic, []) == LabSettings()
    monkeypatch.setenv("NETLAB_AUTHKEY", "spam")
    assert app._settings(topic, []).options == {"authkey": b"spam"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["tcp", "--model", "nothing"], "--model: invalid choice: 'nothing'"),
        (["tcp", "--fault", "delay much"], "--fault: 'much' is not a time"),
        (["udp", "--fault", "cut 3"], "--fault: "),
        (["tcp", "--port", "70000"], "'70000' is not a port"),
        (["tcp", "--host", ""], "'' is not an address"),
        (["tcp", "udp"], "unrecognized arguments: udp"),
        (["tcp", "--certificates", "."], "unrecognized arguments: --certificates"),
        (["multiprocessing", "--authkey-file", "/nothing"], "--authkey-file: cannot read /nothing"),
        (["--limit", "1"], "unrecognized arguments: --limit"),
    ],
)
def test_usage_errors_come_before_anything_is_started(
    words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(words)
    err = capsys.readouterr().err
    assert err.startswith("usage: netlab ")
    assert why in err
    assert gc.isenabled(), "a program that calls this goes on"


def test_every_topic_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in topics():
        with pytest.raises(SystemExit, match="0"):
            cli.main([name, "--help"])
        assert "--fault SPEC" in capsys.readouterr().out


def test_the_app_serves_as_it_was_asked_to(tmp_path: Path) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    words = ("tcp", "--model", "stream", "--host", "0.0.0.0", "--port", "0", "--fault", "delay 1ms")
    terminal = Terminal(temp, *words)
    try:
        children = serving(terminal)
        terminal.until(lambda: b"is not loopback" in terminal.written, "warned")
        found = re.search(rb"0\.0\.0\.0:(\d+)", terminal.written)
        assert found is not None
        for word in (b"stream", b"delay 1 ms"):
            terminal.until(lambda word=word: word in terminal.written, f"showed {word!r}")  # type: ignore[misc]
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=10) as client:
            client.sendall(b"Hello\n")
            assert client.recv(100) == b"Hello\n"
        terminal.process.terminate()
        assert terminal.ended() == 143
        nothing_is_left(terminal, children, temp)
    finally:
        terminal.close()
