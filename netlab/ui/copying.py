"""What can be copied from a tab, each as text that runs or can be pasted. It knows no widget."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from netlab.capture.model import Endpoint, Segment
from netlab.lab import showing
from netlab.lab.console import Call, parse
from netlab.lab.problems import LabError
from netlab.lab.state import Entry, EntryKind
from netlab.topics.contract import Topic
from netlab.topics.outside import Called
from netlab.ui.transcript import copied

MOST = 64 * 1024
"""Bytes of a segment that are copied; terminals take little more through their clipboard sequence."""

RECEIVING = frozenset({"recv", "recv_bytes", "poll"})
"""Calls that send nothing: what other tools are to do is the call before them."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One thing to copy: a word for it, what it is, and the text itself."""

    label: str
    meaning: str
    text: str


def _of_address(topic: Topic, address: Endpoint | None) -> list[Copy]:
    if address is None:
        return []
    return [Copy("address", "where clients connect", str(address))]


def _from_outside(topic: Topic, called: Called | None) -> list[Copy]:
    """The last call as other tools make it, or what to join with where there was none."""
    if called is None:
        return []
    try:
        offer = topic.outside()
        found = list(offer(called)) if offer is not None else []
    except Exception as error:  # noqa: BLE001 - whatever a topic's module raises; the rest can still be copied
        found = [("other tools", f"# the topic {topic.name} failed to say how: {error}")]
    line = "Hello"
    if called.name:
        line = showing.spelt(Call(called.name, called.arguments, tuple(called.keywords.items())))
    found.append(("netlab call", shlex.join(["netlab", "call", topic.name, "--to", str(called.address), line])))
    what = f"{topic.variable}.{called.name}(…)" if called.name else "a first call"
    return [Copy(tool, _meaning(tool, text, what), text) for tool, text in found]


def _meaning(tool: str, text: str, what: str) -> str:
    if text.startswith("# "):
        return text[2:].split(": ")[0]
    return f"{what} as a program" if tool == "Python" else f"{what} from a shell"


def last_call(
    topic: Topic, address: Endpoint | None, entries: Sequence[Entry], operations: Collection[str],
    certificates: Path | None = None,
) -> Called | None:  # fmt: skip
    """The client's last call of an operation, of those that sent something the last one; None without an address."""
    if address is None:
        return None
    calls = [entry.text for entry in entries if entry.kind is EntryKind.CALL]
    found = [call for text in calls if (call := _read(text, topic, operations)) is not None]
    sent = [call for call in found if call.arguments and call.name not in RECEIVING] or found
    if not sent:
        return Called(address, certificates=certificates)
    return Called(address, sent[-1].name, sent[-1].arguments, dict(sent[-1].keywords), certificates)


def _read(text: str, topic: Topic, operations: Collection[str]) -> Call | None:
    """The call that a line of the transcript shows; None for what is no operation, or was cut."""
    if not text.startswith(f"{topic.variable}."):
        return None
    with contextlib.suppress(LabError):
        meaning = parse(text, operations, topic.variable, remote=True)
        return meaning if isinstance(meaning, Call) and not meaning.name.startswith("socket.") else None
    return None


def _of_transcript(topic: Topic, entries: Sequence[Entry]) -> list[Copy]:
    calls = [entry for entry in entries if entry.kind is EntryKind.CALL]
    if not calls:
        return []
    return [
        Copy("last call", calls[-1].text[:40].replace("\n", " "), calls[-1].text),
        Copy("calls as Python", f"{len(calls)} calls, as a program", _program(topic, [call.text for call in calls])),
        Copy("transcript", "as a Python prompt shows it", copied(entries)),
    ]


def _program(topic: Topic, calls: Sequence[str]) -> str:
    imports = ["import socket", ""] if any("socket." in call for call in calls) else []
    return "\n".join([*imports, f"from {topic.package}.client import Client", "", *calls])


def _of_segment(segment: Segment | None) -> list[Copy]:
    if segment is None or not segment.data:
        return []
    data = bytes(segment.data[:MOST])
    said = f"segment {segment.number}, {len(data):,} bytes"
    if len(data) < segment.length:
        said += f" of {segment.length:,}"
    return [
        Copy("bytes as Python", said, repr(data)),
        Copy("bytes as hex", said, data.hex(" ")),
        Copy("bytes as text", said, data.decode("utf-8", "replace")),
    ]


def copies(
    topic: Topic, address: Endpoint | None, entries: Sequence[Entry], segment: Segment | None,
    called: Called | None = None,
) -> list[Copy]:  # fmt: skip
    """All that can be copied now."""
    return [
        *_of_transcript(topic, entries), *_of_address(topic, address), *_from_outside(topic, called),
        *_of_segment(segment),
    ]  # fmt: skip
