"""A client of any topic, made from what the topic says of itself; and a server that has to end without a traceback."""

from __future__ import annotations

import contextlib
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from netlab.topics.client_call import Call
from netlab.topics.contract import Client, Topic
from tests.support.server_processes import Serving, serving
from tests.support.waiting import PATIENCE

AT_ONCE = {"grace": 0.001}
"""Keyword arguments of clients that wait for something optional, where a test need not."""


def connected(topic: Topic, address: tuple[str, int], certificates: Path, timeout: float = PATIENCE) -> Client:
    """A client as a tab makes one, whose notes are not looked at."""
    from netlab.lab.client.connection import Notes

    make = topic.client_class()
    options = {option.name: option.default for option in topic.options if option.client}
    options |= {"certificates": certificates} if topic.certificates else {}
    options |= {name: value for name, value in AT_ONCE.items() if name in inspect.signature(make).parameters}
    return make(address, timeout=timeout, log=Notes(lambda text: None), **options)


def say(topic: Topic, model: str, client: Client) -> list[object]:
    """Run what the topic's sample stands for, as the console does; the results."""
    return [_run(client, call) for call in topic.bare(topic.sample, model)]


def answer(topic: Topic, model: str, address: tuple[str, int], certificates: Path) -> str:
    """What the next client gets: the same each time, since numbers (times, lengths) are left out."""
    with contextlib.closing(connected(topic, address, certificates)) as client:
        results = say(topic, model, client)
    assert any(each not in (None, b"") for each in results), f"{topic.name} answers {topic.sample!r} with nothing"
    return re.sub(r"\d+", "0", repr(results))


def _run(client: Client, call: Call) -> object:
    operation = getattr(client, call.name, None)
    if operation is None:
        return client.call(call.name, *call.arguments)  # type: ignore[attr-defined]  # a RemoteClient
    return operation(*call.arguments, **dict(call.keywords))


@contextlib.contextmanager
def without_a_traceback(topic: Topic, model: str, folder: Path, timeout: float = 5) -> Iterator[Serving]:
    """A server that must end well, and may have said nothing but lines of information and warnings."""
    arguments = [topic.name, "--model", model, "--timeout", f"{timeout:g}"]
    arguments += ["--certificates", str(folder)] if topic.certificates else []
    with serving(*arguments, stderr=subprocess.PIPE) as child:
        yield child
        assert child.terminate() == 0
        assert child.process.stderr is not None
        told = child.process.stderr.read()
        assert told == "", told
    for line in child.lines[1:]:
        assert re.match(r"\d\d:\d\d:\d\d (?!error: )", line), line
        assert line.isprintable(), line
