"""Faults that nobody knew before, with words of their own: a lab blames them, and counts what they drop as dropped."""

from __future__ import annotations

from pathlib import Path

from tests.support.scratch_copy import ScratchCopy

FAULT = """
from netlab.wire.impairment.fault import FaultKind
from netlab.wire.impairment.requests import Close, Drop, Reset

KIND = FaultKind("{name}", "", "", "made up", lambda words: lambda: lambda *segment: ({request},))
"""

ENDS = """
from netlab.lab import Lab
from netlab.lab.state import EntryKind

for name in ("hangup", "storm"):
    with Lab("tcp") as lab:
        lab.wire.fault(name)
        client = lab.connect()
        for call in (lambda: client.send(b"Hello"), lambda: client.recv(8192)):
            try:
                call()
            except OSError:
                pass
        print([entry.text for entry in client.transcript if entry.kind is EntryKind.NOTE], client.by_wire)
"""

DROPS = """
from netlab.capture.model import Direction, Outcome
from netlab.lab import Lab

with Lab("udp") as lab, lab.connect() as client:
    lab.wire.fault("fog first 1 ->")
    client.ask()
    lab.sync()
    sent = [each for each in lab.capture.segments if each.direction is Direction.TO_SERVER]
    print([each.outcome.value for each in sent][:2], sent[0].words)
"""


def test_a_fault_of_any_name_that_ends_a_flow_is_blamed_for_it(tmp_path: Path) -> None:
    scratch = ScratchCopy.in_folder(tmp_path)
    scratch.write("netlab/wire/faults/hangup.py", FAULT.format(name="hangup", request='Close("the line went dead")'))
    scratch.write("netlab/wire/faults/storm.py", FAULT.format(name="storm", request='Reset("")'))
    hung_up, torn = scratch.run("python", "-c", ENDS).splitlines()
    assert "the wire did that, not the server: the line went dead" in hung_up and hung_up.endswith("True")
    assert "the wire did that, not the server: " in torn and torn.endswith("True")


def test_what_a_fault_drops_in_any_words_is_dropped(tmp_path: Path) -> None:
    scratch = ScratchCopy.in_folder(tmp_path)
    scratch.write("netlab/wire/faults/fog.py", FAULT.format(name="fog", request='Drop("lost in transit")'))
    assert scratch.run("python", "-c", DROPS).strip() == "['dropped', 'delivered'] dropped: lost in transit"
