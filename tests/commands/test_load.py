"""``netlab load`` as a person runs it: models beside each other, usage errors, ctrl+c, and nothing left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from netlab.commands.load import main
from netlab.commands.loads.load_arguments import bytes_of, duration
from netlab.kernel.holders import descendants
from tests.load.servers import echo, serving
from tests.support.folders import ROOT
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("tcp --closed --rate 5", "--rate has no meaning with --closed"),
        ("127.0.0.1:80 x --models single", "--models are a topic's"),
        ("127.0.0.1:80", "what to send is needed"),
        ("127.0.0.1:80 --expect x", "--expect needs --send"),
        ("tcp Hello --send x", "one of them is what to send"),
        ("tcp --udp", "a topic knows its transport"),
        ("tcp --anywhere", "a topic's server is on this machine"),
        ("192.0.2.1:80 x", "192.0.2.1 is not a loopback address"),
        ("tcp --models single,foo", "no model 'foo'; there are single, threading"),
        ("tcp --fault nonsense", "no fault 'nonsense'"),
        ("tcp shout('x')", "no operation shout"),
        ("tcp --rate 1e9", "a load plans 1 to"),
        ("tcp --rate nan", "a rate is more than 0"),
        ("tcp --for 0s", "a load lasts more than 0"),
        ("tcp --for ever", "'ever' is not a time"),
        ("tcp --clients 0", "'0' is not a number of clients"),
        (r"tcp --send a\q", r"\q is no escape"),
        ("nothing", "no topic 'nothing'"),
        ("", "which topic?"),
    ],
)
def test_a_usage_error_is_status_2_and_a_sentence(
    words: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert main(words.split(" ") if words else []) == 2
    except SystemExit as ended:
        assert ended.code == 2
    assert sentence in capsys.readouterr().err


def test_times_and_bytes_as_people_write_them() -> None:
    assert [duration(text) for text in ("10s", "500ms", "2m", "1.5")] == [10.0, 0.5, 120.0, 1.5]
    assert bytes_of(r"GET / HTTP/1.0\r\n\x00\xfe\\n é") == b"GET / HTTP/1.0\r\n\x00\xfe\\n \xc3\xa9"


def test_models_stand_beside_each_other_under_the_same_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tcp", "--models", "single,threading", "--for", "0.5s", "--rate", "100"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "tcp: b'Hello' → b'Hello'"
    assert "open loop, 100 requests/s, seed 1; straight to the server" in lines[1]
    assert lines[3].split() == ["single", "threading"]
    assert [line.split() for line in lines if line.startswith("answered  ")] == [["answered", "50", "50"]]
    assert any(line.startswith("over ") for line in lines)


def test_any_server_at_an_address_with_a_line_or_with_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(echo) as address:
        plan = ["--for", "0.2s", "--rate", "50", "--json"]
        assert main([str(address), "PING", *plan]) == 0
        assert main([str(address), "--send", r"PING\r\n", "--expect", "PING", *plan, "--fault", "delay 5ms"]) == 0
        assert main([str(address), "--send", "PING", "--expect", "PONG", *plan]) == 1
    out, err = capsys.readouterr()
    line, right, wrong = map(json.loads, out.splitlines())
    assert line["operation"] == r"b'PING\n'" and line["answered"] == 10
    assert right["latency"]["p50"] >= 0.01 and right["answered"] == 10  # through a wire that holds each way
    assert line["wire"] is None and right["wire"]["straight"] > 0 and right["wire"]["through"] > 0
    assert wrong["errors"] == {"wrong answer": 10} and wrong["latency"]["p50"] is None
    assert err.endswith("netlab load: no request was answered: wrong answer\n")


def test_without_hdrhistogram_one_sentence_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "hdrh", None)  # type: ignore[arg-type]  # so that it is not found
    assert main(["tcp"]) == 1
    assert capsys.readouterr().err == (
        "netlab load: a load is measured with hdrhistogram, which is not installed; try pip install hdrhistogram\n"
    )


def started(*words: str) -> subprocess.Popen[str]:
    """A load of a minute, in a process of its own, once it makes requests."""
    process = subprocess.Popen(
        [sys.executable, "-m", "netlab", "load", *words, "--for", "60s", "--rate", "50"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stderr is not None and ": 1." in process.stderr.readline()
    return process


def test_ctrl_c_gives_the_result_so_far_and_leaves_nothing_running() -> None:
    with started("tcp", "--models", "threading,single", "--json") as process:
        family = descendants(process.pid) - {process.pid}
        assert len(family) >= 3  # server, wire, generator
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    (found,) = map(json.loads, out.splitlines())
    assert not found["complete"] and 1 <= found["ran"] < 60 and 0 < found["planned"] <= found["answered"] + 1
    assert "Traceback" not in err
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))


def test_nothing_outlives_a_command_that_is_killed() -> None:
    with started("tcp") as process:
        family = descendants(process.pid) - {process.pid}
        assert len(family) >= 3
        process.kill()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
