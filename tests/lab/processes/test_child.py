from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from netlab.lab.processes import child
from netlab.lab.processes.child import Child, Message
from tests.support.waiting import PATIENCE, wait_until


class Told:
    """A child that runs a few lines of Python, and what it told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
        monkeypatch.setattr(child, "PROGRAM", (sys.executable, "-c", code))
        self.messages: list[Message] = []
        self.over = threading.Event()
        self.child = Child([])
        self.child.attach(self.messages.append, self.over.set)

    def first(self) -> Message:
        return wait_until(lambda: self.messages and self.messages[0])


def gone(pid: int) -> bool:
    """Whether no such process runs (a zombie that nobody has reaped yet does not run)."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


def test_requests_go_in_and_events_come_out(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch, ECHO)
    assert told.child.request({"request": "sync", "id": 7, "text": "ä"})
    assert told.first() == {"request": "sync", "id": 7, "text": "ä"}
    child.stop(told.child)
    assert told.child.exit_status == 0
    assert told.over.wait(PATIENCE)  # it comes after the exit status
    assert not told.child.request({})


def test_what_has_ended_keeps_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended() -> int:
        told = Told(monkeypatch, ECHO)
        assert told.child.request({"id": 7}) and told.first()
        child.stop(told.child)
        assert told.over.wait(10)
        return len(list(Path("/proc/self/fd").iterdir()))

    ended()  # what the first child needs may stay
    before = ended()
    assert min(ended() for _ in range(3)) <= before  # not equal: what other tests left may be closed meanwhile


def test_the_end_of_stdin_ends_it_and_its_last_words_are_kept_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch, "import sys\nfor i in range(99): print('word', i, '\\x1b', file=sys.stderr)\nsys.exit(3)")
    assert told.child.ended.wait(10)
    assert told.child.exit_status == 3
    assert told.child.last_words[-1] == "word 98 ␛"
    assert len(told.child.last_words) == child.WORDS_KEPT


def test_what_is_no_json_object_is_kept_as_words(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch, "print('Traceback', flush=True)\nprint('[1]')\nprint('{\"event\": \"x\"}')")
    assert told.child.ended.wait(10)
    assert told.messages == [{"event": "x"}]
    assert told.child.last_words == ["Traceback"]


def test_a_message_that_its_reader_fails_at_is_reported_and_the_next_ones_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: reported.append(str(failure.exc_value)))
    told = Told(monkeypatch, ECHO)
    read: list[Message] = []

    def take(message: Message) -> None:
        read.append(message)
        raise ValueError(f"number {message['number']}")

    told.child.attach(take, told.over.set)
    assert told.child.request({"number": 1}) and told.child.request({"number": 2})
    told.child.close_stdin()
    assert told.over.wait(PATIENCE)
    assert read == [{"number": 1}, {"number": 2}]
    assert reported == ["number 1", "number 2"]


STUBBORN = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('{}', flush=True)\nwhile True: time.sleep(9)"


def test_a_stubborn_and_a_stopped_child_are_ended_within_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn, stopped = Told(monkeypatch, STUBBORN), Told(monkeypatch, ECHO)
    wait_until(lambda: stubborn.messages)
    os.kill(stopped.child.pid, signal.SIGSTOP)
    before = time.monotonic()
    child.stop(stubborn.child, stopped.child, None)
    assert time.monotonic() - before < 2.3
    assert stubborn.child.ended.wait(5) and stopped.child.ended.wait(5)
    assert stubborn.child.exit_status == -signal.SIGKILL


FORKS = """
import os, json, time
pid = os.fork()
if pid: print(json.dumps({"pid": pid}), flush=True); %s
else: time.sleep(60)
"""


@pytest.mark.parametrize("then", ["os._exit(1)", "input()"])
def test_what_it_forked_ends_with_it(monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    told = Told(monkeypatch, FORKS % then)
    pid = told.first()["pid"]
    assert isinstance(pid, int)
    child.stop(told.child)
    assert told.child.ended.wait(5)
    wait_until(lambda: gone(pid), seconds=5)


def test_a_stalled_child_does_not_stall_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch, "import time\nprint('{\"event\": 1}', flush=True)\ntime.sleep(60)")
    told.first()
    assert wait_until(lambda: not told.child.request({"filler": "x" * 4000}))
    told.child.kill(signal.SIGKILL)
    assert told.child.ended.wait(5)


def test_children_find_the_same_netlab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    words = [*child.PROGRAM[:2], "-c", "import json, netlab; print(json.dumps({'file': netlab.__file__}), flush=True)"]
    monkeypatch.setattr(child, "PROGRAM", tuple(words))
    messages: list[Message] = []
    started = Child([])
    started.attach(messages.append, lambda: None)
    assert started.ended.wait(10)
    import netlab

    assert messages == [{"file": netlab.__file__}]
