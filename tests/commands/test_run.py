"""``netlab run``: what it prints, its exit status, and that Ctrl+C leaves nothing running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from netlab.capture.model import Endpoint
from netlab.commands import run as run_command
from netlab.lab.experiments.run_events import (
    Expected,
    LabOpened,
    LanesShown,
    Ran,
    RunOutcome,
    Shown,
    Stepped,
    Stood,
    Verdict,
)
from netlab.lab.experiments.swim_lanes import Board
from netlab.topics.contract import Topic
from netlab.topics.discovery import topic_named
from tests.support.forking.process import run_netlab
from tests.support.scripted_lab import experiment
from tests.support.waiting import wait_until

HERE = Endpoint("127.0.0.1", 20000)
EXPERIMENTS = """
from netlab.topics.experiment import Experiment

def seen(trial):
    trial.step("Look.")
    trial.expect("the sun", lambda: True)

def not_seen(trial):
    trial.expect("rain", lambda: False, 0.0, found=lambda: "sun")

def crash(trial):
    raise RuntimeError("the sky fell")

EXPERIMENTS = tuple(
    Experiment(run.__name__, "What is up?", ("rain", "sun"), 1, "It is July.", run) for run in (seen, not_seen, crash)
)
"""


@pytest.fixture
def weather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Topic:
    """A topic whose experiments need no lab."""
    package = tmp_path / "weather_topic"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "experiments.py").write_text(EXPERIMENTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    topic = replace(topic_named("tcp"), name="weather", package="weather_topic")
    monkeypatch.setattr(run_command, "topic_named", {"weather": topic, "udp": topic_named("udp")}.__getitem__)
    monkeypatch.setattr(run_command, "topics", lambda: {"weather": topic})
    return topic


def test_all_is_told(weather: Topic, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command.main(["weather/seen"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "━━ weather/seen",
        "What is up?",
        "",
        "a) rain",
        "b) sun",
        "",
        " 1 Look.",
        "   ✓ the sun",
        "",
        "The right answer: b) sun",
        "Why: It is July.",
        "",
        "The check passed",
        "",
    ]


def test_what_was_not_seen_is_the_exit_status_and_gives_nothing_away(
    weather: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command.main(["weather/not_seen"]) == 1
    out = capsys.readouterr().out
    assert "   ✗ not seen: rain\n     sun\n" in out
    assert out.endswith("1 of 1 checks failed\n\n")
    assert "The right answer" not in out


def test_a_topic_means_all_of_its_experiments(weather: Topic, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command.main(["weather"]) == 1
    assert capsys.readouterr().out.endswith(
        "✓ weather/seen: The check passed\n"
        "✗ weather/not_seen: 1 of 1 checks failed\n"
        "✗ weather/crash: failed: RuntimeError: the sky fell\n"
    )


def test_all_and_list(weather: Topic, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert listed == "weather/seen      What is up?\nweather/not_seen  What is up?\nweather/crash     What is up?\n"
    assert run_command.main(["--list", "weather/seen"]) == 0
    assert capsys.readouterr().out == "weather/seen  What is up?\n"
    assert run_command.main(["--all"]) == 1
    assert "━━ weather/crash" in capsys.readouterr().out


def test_json_lines(weather: Topic, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command.main(["--json", "weather/seen"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["event"] for row in rows] == ["began", "stepped", "awaited", "expected", "finished"]
    assert rows[-1]["verdict"] == {"outcome": "seen", "seen": 1, "crossed": 0, "problem": ""}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "which experiment?"),
        (["tcp/nothing"], "no experiment 'tcp/nothing'; there are tcp/backlog"),
        (["nowhere/backlog"], "no topic 'nowhere'"),
        (["--loud"], "unrecognized arguments"),
    ],
)
def test_usage_errors(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        run_command.main(argv)
    assert raised.value.code == 2
    assert words in capsys.readouterr().err


def test_each_happening_as_rows() -> None:
    rows = [
        run_command.rows_of(event, 40)
        for event in (
            LabOpened("pool", "authkey"),
            Stepped(12, "A step that is longer than one row of forty."),
            Expected(1, "it", False, "something else"),
            Stood(("mine.py, line 7: while True:   ← client 1",)),
            Shown("one\ntwo"),
            LanesShown((Board("pool", (), 0),)),
            Ran("the child ended with exit status 0"),
        )
    ]
    assert rows == [
        ["   · a server, model pool, with authkey"],
        ["12 A step that is longer than one row of", "   forty."],
        ["   ✗ not seen: it", "     something else"],
        ["   ▸ mine.py, line 7: while True:   ←", "     client 1"],
        ["", "   one", "   two", ""],
        [
            "",
            "   pool",
            "   no client yet",
            "   · connecting   ░ in the accept queue",
            "   █ being served   ┤ closed",
            "",
        ],
        ["   · the child ended with exit status 0"],
    ]


def test_the_tutorials_code_stands_beside_the_repaired() -> None:
    whole = replace(experiment(lambda runner: None), quoted="connect('{host}', {port})\n", repaired="fine()\n")
    rows = run_command.conclusion(whole, Verdict(RunOutcome.SEEN, 1, 0), 80, HERE)
    at = rows.index("The tutorial's own code, as it stands:")
    assert rows[at : at + 5] == [
        "The tutorial's own code, as it stands:",
        "    connect('127.0.0.1', 20000)",
        "",
        "Repaired:",
        "    fine()",
    ]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in /proc")
def test_ctrl_c_ends_everything() -> None:
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it, and hands on
    try:
        run = subprocess.Popen(
            [sys.executable, "-m", "netlab", "run", "tcp"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finally:
        signal.signal(signal.SIGINT, heard)
    assert run.stdout is not None
    for line in run.stdout:
        if "· a server" in line:
            break
    children = [int(pid) for pid in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()]
    assert len(children) == 2
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "Traceback" not in errors
    wait_until(lambda: not any(alive(pid) for pid in children))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_experiments_make_no_certificates_where_a_persons_are(tmp_path: Path) -> None:
    """A checkout's certs/ has its README.md, and nothing else after a run."""
    (tmp_path / "README.md").write_text("what this is")
    environ = {**os.environ, "NETLAB_CERTIFICATES": str(tmp_path)}
    done = run_netlab("run", "tls/plain-text", timeout=60, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
