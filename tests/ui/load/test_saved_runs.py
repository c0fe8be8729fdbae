"""Runs in a file: what was written is read again, and anything else is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netlab.topics.discovery import topic_named
from netlab.ui.load.load_request import LoadRequest
from netlab.ui.load.saved_runs import as_json, read
from netlab.ui.load.shown_run import ShownRun
from tests.ui.load.made_runs import plan, two_models

TCP = topic_named("tcp")


def test_runs_are_read_as_they_were_written(tmp_path: Path) -> None:
    request = LoadRequest(clients=20, rate=200.0, models=("single",))
    runs = [(run, request) for run in two_models()]
    running = ShownRun("C", "pool", plan(), ())
    file = tmp_path / "loads.json"
    file.write_text(as_json(TCP, [*runs, (running, request)]))
    found = read(file, TCP)
    assert [asked for _, asked in found] == [request, request]
    assert [run.result for run, _ in found] == [run.result for run, _ in runs]
    assert [run.name for run, _ in found] == ["single", "threading"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "\udcff",
        '{"format": "other", "topic": "tcp"}',
        '{"format": "netlab load 1", "topic": "tcp", "runs": [1]}',
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"x\.json"):
        read(file, TCP)


def test_a_damaged_file_is_refused_wherever_it_is_damaged(tmp_path: Path) -> None:
    whole = json.loads(as_json(TCP, [(two_models()[0], LoadRequest())]))
    file = tmp_path / "x.json"
    for name in whole["runs"][0]:
        for bad in (None, 7, "text", [], {}):
            if (name, bad) in (("name", 7), ("name", "text"), ("remarks", []), ("points", [])):
                continue
            damaged = {**whole, "runs": [{**whole["runs"][0], name: bad}]}
            file.write_text(json.dumps(damaged))
            with pytest.raises(ValueError, match=r"x\.json"):
                read(file, TCP)


def test_loads_on_another_topic_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(as_json(topic_named("udp"), [(two_models()[0], LoadRequest())]))
    with pytest.raises(ValueError, match="loads on udp; open it in that tab"):
        read(file, TCP)
