"""What a person sees of the topics and the fault that `tests.extension.check` adds. Runs in its scratch copy only."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab import cli
from netlab.lab import Lab
from netlab.topics.discovery import find_topics
from netlab.wire.impairment import catalog
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until


def test_they_come_after_netlabs_own_topics_and_faults() -> None:
    assert [topic.name for topic in find_topics()][8:] == ["reverse", "length"]
    assert [kind.name for kind in catalog.offered()][-1] == "swapcase"


@played(first="reverse")
async def test_a_tab_serves_and_the_fault_acts(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    await until(pilot, lambda: "'olleH'" in app.transcript, "the answer")
    await enter(pilot, ":fault swapcase ->")
    await enter(pilot, "Hello")
    await until(pilot, lambda: "'OLLEh'" in app.transcript, "the answer to what the wire made of it")


@played(first="length")
async def test_a_tab_of_datagrams_serves(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    await until(pilot, lambda: "'5 bytes'" in app.transcript, "the answer")


def test_a_lab_takes_the_fault_on_either_transport() -> None:
    for name, answer in (("reverse", "OLLEh"), ("length", "5 BYTES")):
        with Lab(name) as lab, lab.connect() as session:
            lab.wire.fault("swapcase ->" if name == "reverse" else "swapcase <-")
            session.run("Hello")
            assert answer in session.transcript[-1].text


def test_the_commands_know_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["eject", "reverse", str(tmp_path)]) == 0
    assert (tmp_path / "reverse_server.py").exists() and (tmp_path / "hardening").is_dir()
    capsys.readouterr()
    assert cli.main(["call", "reverse", "reverse('Hello')"]) == 0
    assert "olleH" in capsys.readouterr().out
