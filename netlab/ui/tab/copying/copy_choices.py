"""What can be copied from a tab, as text to run or to paste. It knows no widget."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from netlab.capture.model import Endpoint, Segment
from netlab.lab.client.repl import ClientTarget
from netlab.lab.state import ClientMade, Entry, EntryKind
from netlab.lab.topic_options import text_of
from netlab.serve.options import environment_name
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic
from netlab.topics.copy_as import CopiedCall, Missing
from netlab.ui.console.transcript import copied
from netlab.ui.tab.copying.copied_program import program
from netlab.ui.widgets.formatting import shortened

MOST = 64 * 1024
"""Bytes of a segment that are copied; terminals accept little more through the clipboard sequence."""

RECEIVING = frozenset({"recv", "recv_bytes", "poll"})
"""Calls that send nothing: other tools repeat the call before them."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Something to copy: its label, what it means, and the text."""

    label: str
    meaning: str
    text: str


def _of_address(topic: Topic, address: Endpoint | None) -> list[Copy]:
    if address is None:
        return []
    where = f"{address}, where your clients connect" if topic.attached else "where clients connect"
    return [Copy("address", where, str(address))]


def _from_outside(topic: Topic, last: LastCall | None, waits: bool) -> list[Copy]:
    """The last call for other tools, or a first call if there was none."""
    if last is None:
        return []
    called = last.called
    try:
        offer = topic.copy_as()
        found = list(offer(called)) if offer is not None else []
    except Exception as error:  # noqa: BLE001 - a topic's module may raise anything; the rest can still be copied
        found = [("other tools", Missing(f"the topic {topic.name} failed", f"{type(error).__name__}: {error}"))]
    if not topic.attached:
        found.append(("netlab call", _netlab_call(topic, called, last.calls)))
    what = f"{topic.variable}.{called.name}(…)" if called.name else "a first call"
    turn = ", after this client, which is served first" if waits else ""
    return [Copy(tool, _meaning(tool, text, what + turn), text) for tool, text in found]


def _netlab_call(topic: Topic, called: CopiedCall, calls: Sequence[Call]) -> str:
    """The same from a shell: the call, the one that read its answer, and the client's options; secrets as variables."""
    secrets, words = "", [*own_command(), "call", topic.name, "--to", str(called.address)]
    for option in topic.options:
        if not option.client or option.name not in called.options:
            continue
        text = text_of(option, called.options[option.name])
        if option.secret:
            secrets += f"{environment_name(option)}={shlex.quote(text)} "
        else:
            words.append(f"{option.flag}={text}")
    words += ["--certificates", str(called.certificates.absolute())] if called.certificates is not None else []
    return secrets + shlex.join([*words, *(map(spelt_whole, calls) if calls else ["Hello"])])


def own_command() -> list[str]:
    """The command that starts this netlab in a fresh shell: its name if that is on the path without an active venv."""
    found = shutil.which("netlab")
    here = Path(sys.executable).parent
    if found and Path(found).resolve().parent == here and "VIRTUAL_ENV" not in os.environ:
        return ["netlab"]
    return [sys.executable, "-m", "netlab"]


def spelt_whole(call: Call) -> str:
    """A call as the console takes it, however long it is."""
    words = [*map(repr, call.arguments), *(f"{name}={value!r}" for name, value in call.keywords)]
    return f"{call.name}({', '.join(words)})"


def _meaning(tool: str, text: str, what: str) -> str:
    if isinstance(text, Missing):
        return text.what
    return f"{what} as a program" if tool == "Python" else f"{what} from a shell"


@dataclass(frozen=True, slots=True)
class LastCall:
    """The client's last call that sent something, the one that read the answer, and how the client was made.

    ``calls`` are both as the console takes them; before the first call, the calls that plain text stands for.
    """

    called: CopiedCall
    calls: tuple[Call, ...] = ()
    made: ClientMade | None = None


def last_call(
    topic: Topic, address: Endpoint | None, entries: Sequence[Entry], target: ClientTarget | None = None
) -> LastCall | None:  # fmt: skip
    """The last call, preferably one that sent something; None without an address.

    ``target`` is what a client would connect to now, if none has been made yet.
    """
    if address is None:
        return None
    made = next((entry.did for entry in reversed(entries) if isinstance(entry.did, ClientMade)), None)
    keywords = made.keywords if made is not None else target.keywords if target is not None else {}
    certificates = keywords.get("certificates")
    folder = certificates if isinstance(certificates, Path) else None
    calls = [entry.did for entry in entries if isinstance(entry.did, Call)]
    sent = [call for call in calls if call.arguments and call.name not in RECEIVING] or calls
    if not sent:
        bare = _bare(topic, target.model if target is not None else topic.models[0])
        return LastCall(CopiedCall(address, certificates=folder, options=keywords), bare, made)
    call, after = sent[-1], calls[calls.index(sent[-1]) + 1 :]
    called = CopiedCall(address, call.name, call.arguments, dict(call.keywords), folder, keywords)
    if (then := next((each for each in after if each.name in RECEIVING), None)) is not None:
        return LastCall(called, (call, then), made)
    first, *rest = _bare(topic, topic.models[0]) or (None,)
    return LastCall(called, (call, *rest) if first is not None and first.name == call.name else (call,), made)


def _bare(topic: Topic, model: str) -> tuple[Call, ...]:
    """The calls that plain text stands for: one that sends, and often one that reads the answer."""
    try:
        return tuple(topic.bare("Hello", model))
    except Exception:  # noqa: BLE001 - a topic's own code may raise anything
        return ()


def _of_transcript(topic: Topic, entries: Sequence[Entry], made: ClientMade | None) -> list[Copy]:
    calls = [entry for entry in entries if entry.kind is EntryKind.CALL]
    if not calls:
        return []
    last = calls[-1].did
    text = f"{topic.variable}.{spelt_whole(last)}" if isinstance(last, Call) else calls[-1].text
    counted = f"{len(calls)} call{'s' * (len(calls) != 1)}"
    return [
        Copy("last call", f"to run in this console: {shortened(' '.join(text[:80].split()), 40)}", text),
        Copy("calls as Python", f"{counted}, as a program with its client", program(topic, entries, made)),
        Copy("transcript", "as a Python prompt shows it", copied(entries)),
    ]


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
    last: LastCall | None = None, *, waits: bool = False,
) -> list[Copy]:  # fmt: skip
    """Everything that can be copied now. ``waits``: the server serves one client at a time, and serves one now."""
    made = last.made if last is not None else None
    here = [_of_transcript(topic, entries, made), _of_address(topic, address)]
    here = here[::-1] if topic.attached else here  # the wire's address is what a person's own client needs
    return [*here[0], *here[1], *_from_outside(topic, last, waits), *_of_segment(segment)]
