"""What can be copied from a tab, each as text that runs or can be pasted. It knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlab.capture.model import Endpoint, Segment, Transport
from netlab.lab.state import Entry, EntryKind
from netlab.topics.contract import Topic
from netlab.ui.transcript import copied

MOST = 64 * 1024
"""Bytes of a segment that are copied; terminals take little more through their clipboard sequence."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One thing to copy: a word for it, what it is, and the text itself."""

    label: str
    meaning: str
    text: str


def _of_address(topic: Topic, address: Endpoint | None) -> list[Copy]:
    if address is None:
        return []
    udp = "-u " if topic.transport is Transport.UDP else ""
    return [
        Copy("address", str(address), str(address)),
        Copy("nc", "join from another terminal", f"nc {udp}{address.host} {address.port}"),
        Copy("netlab call", "a session from the shell", f"netlab call {topic.name} --to {address} 'Hello'"),
    ]


def _of_transcript(topic: Topic, entries: Sequence[Entry]) -> list[Copy]:
    calls = [entry for entry in entries if entry.kind is EntryKind.CALL]
    if not calls:
        return []
    return [
        Copy("last call", calls[-1].text[:50].replace("\n", " "), calls[-1].text),
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


def copies(topic: Topic, address: Endpoint | None, entries: Sequence[Entry], segment: Segment | None) -> list[Copy]:
    """All that can be copied now."""
    return [*_of_address(topic, address), *_of_transcript(topic, entries), *_of_segment(segment)]
