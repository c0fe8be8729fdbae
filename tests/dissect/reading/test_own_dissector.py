"""A person's own dissector: of each kind, wrong in every way, and saved again."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from netlab.capture.model import Direction
from netlab.dissect.flow import Match, Opening
from netlab.dissect.reading.in_memory import read_pieces
from netlab.dissect.reading.own.own_dissector import OwnDissector
from netlab.dissect.reading.timed_thread import TimedThread, TookTooLong
from tests.support.waiting import wait_until

UP = Direction.TO_SERVER
HEAD = """
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import Match, Protocol
"""
STATELESS = """
def dissect(data, direction, offset=0):
    return Dissection((Field("all", 0, len(data), "bytes", ""),), f"{len(data)} bytes")
"""
FLOW = """
class Flow:
    def __init__(self):
        self.seen = 0
    def feed(self, run):
        self.seen += 1
        return Dissection((Field("all", 0, len(run.data), "bytes", ""),), f"run {self.seen}")
"""


def own(path: Path, text: str) -> OwnDissector:
    path.write_text(HEAD + text, encoding="utf-8")
    return OwnDissector(path)


def said(own: OwnDissector, *pieces: bytes) -> list[str]:
    found = read_pieces(own.protocol.make, [(UP, piece) for piece in pieces])
    return [each.problem or each.summary for each in found]


def test_each_kind_of_file_reads_flows(tmp_path: Path) -> None:
    assert said(own(tmp_path / "a.py", STATELESS), b"x", b"yz") == ["1 bytes", "2 bytes"]
    assert said(own(tmp_path / "b.py", FLOW), b"x", b"yz") == ["run 1", "run 2"]
    text = FLOW + "PROTOCOL = Protocol('mine', 'Mine', lambda opening: Match.SURE, Flow)"
    recognising = own(tmp_path / "c.py", text)
    assert (recognising.protocol.name, recognising.certain) == ("mine", False)
    assert recognising.protocol.recognise(Opening(memoryview(b"x"), memoryview(b""))) is Match.SURE
    assert said(recognising, b"x", b"yz") == ["run 1", "run 2"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def dissect(:", "a.py, line 4: invalid syntax"),
        ("x = 1", "a.py has no dissect(data, direction, offset), no Flow and no PROTOCOL"),
        ("import nothing_such", "a.py, line 4: ModuleNotFoundError: No module named 'nothing_such'"),
        ("raise SystemExit", "a.py: RuntimeError: it raised SystemExit"),
    ],
)
def test_a_file_that_does_not_load_says_why_and_bytes_stay_raw(tmp_path: Path, text: str, why: str) -> None:
    broken = own(tmp_path / "a.py", text)
    assert broken.problem == why
    assert said(broken, b"x") == [f"the dissector failed: {why}"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return 1 // 0", "a.py, line 5: ZeroDivisionError: integer division or modulo by zero"),
        ("return None", "TypeError: feed returned a NoneType, not a Dissection"),
        ("exit()", "a.py: RuntimeError: it raised SystemExit"),
    ],
)
def test_one_that_fails_says_where(tmp_path: Path, body: str, why: str) -> None:
    failing = own(tmp_path / "a.py", f"def dissect(data, direction, offset=0):\n    {body}\n")
    assert said(failing, b"x") == [f"the dissector failed: {why}"]


def test_an_endless_loop_is_stopped_and_its_thread_ends() -> None:
    deadline, threads = TimedThread("loops", 0.1), list[threading.Thread]()

    def loops() -> None:
        threads.append(threading.current_thread())
        while True:
            with suppress(Exception):  # as careless code does
                sum(range(100))

    with pytest.raises(TookTooLong, match=r"it ran for more than 0\.1 s, and was stopped"):
        deadline.call(loops)
    wait_until(lambda: not threads[0].is_alive(), "its thread ends")
    assert deadline.call(lambda: 5) == 5


def test_what_cannot_be_stopped_is_not_run_again() -> None:
    deadline, free = TimedThread("stuck", 0.05), threading.Event()
    with pytest.raises(TookTooLong):
        deadline.call(free.wait)  # it waits in C
    with pytest.raises(TookTooLong, match="cannot be stopped"):
        deadline.call(lambda: 5)
    free.set()


def test_it_is_read_again_when_it_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    mine = own(path, "def dissect(:")
    assert not mine.look()
    path.write_text(HEAD + STATELESS, encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert mine.look()
    assert mine.problem == ""
    assert said(mine, b"x") == ["1 bytes"]
    path.unlink()
    assert not mine.look()
    assert said(mine, b"x") == ["1 bytes"]
