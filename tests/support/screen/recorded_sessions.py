"""Sessions that were recorded once, from real labs, and are played back into the real screen: the same on any machine.

A recording is what a lab told: its capture (``samples/NAME.pcapng``), and its state, log, transcripts and secrets
(``samples/NAME.json``). Random challenges, certificates, dates, ports and this Python's version stand in it as they
were. ``python -m tests.support.screen.recorded_sessions`` records all of them again; look at the pictures then.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from netlab.capture.model import Direction, Endpoint
from netlab.certificates import certs
from netlab.lab import Lab
from netlab.lab import lab as lab_module
from netlab.lab.client.attribution import CallTraffic
from netlab.lab.client.cancellable_socket import Wake
from netlab.lab.client.connection import Connection
from netlab.lab.client.session import Session
from netlab.lab.processes.live_capture import CaptureExtent
from netlab.lab.state import (
    Accounts,
    CaptureRestarted,
    Entry,
    EntryKind,
    Event,
    LabState,
    LogGrew,
    LogLine,
    Phase,
    SessionsChanged,
    StateChanged,
)
from netlab.lab.topic_options import Setting
from netlab.topics.contract import Client, Topic
from netlab.topics.discovery import topic_named
from netlab.topics.zerocopy.client import Client as ZerocopyClient
from netlab.topics.zerocopy.transfer import NOTHING, Transfer
from netlab.ui.app import NetlabApp
from netlab.ui.lab_thread import LiveLab
from netlab.ui.widgets.formatting import Formatting
from tests.support.folders import RECORDINGS
from tests.support.screen.staging import tabs

Json = dict[str, Any]

SCENES: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "tcp": (["Hello"], [":reset", "send(b'Hello')"]),
    "udp": (["time"], [":fault loss first 1", "ask()"]),
    "wsgi": (["<script>"], ["get('/nowhere')"]),
    "xmlrpc": (["set('spam', [1, 2, 3])"], ["get('nope')"]),
    "multiprocessing": (["{'a': (1, 2)}"], [":authkey wrong", ":connect"]),
    "hmac": (["Hello"], [":secret wrong", ":connect"]),
    "tls": (["Hello"], [":present expired", ":connect"]),
    "zerocopy": (["64 KiB"], ["receive('64 KiB', 'tutorial_concatenate')"]),
}
"""What is typed in each topic: its default operation, then what ends in its most telling failure."""

PARTS = ("default", "failure")


def name_of(topic: str, part: str) -> str:
    return f"{topic}-{part}"


def lines_of(topic: str, part: str) -> list[str]:
    """What was typed for a recording."""
    default, failing = SCENES[topic]
    return [*default, *(failing if part == "failure" else ())]


def told(name: str) -> Json:
    """What a recording tells but its capture."""
    return cast("Json", json.loads((RECORDINGS / f"{name}.json").read_text()))


def perform(lab: Lab, lines: Sequence[str]) -> None:
    """Type lines into a lab, each after the one before has run."""
    for line in lines:
        lab.submit(line)
        for session in lab.sessions:
            session.wait_idle()


# From a lab into a recording.


def recorded(lab: Lab) -> Json:
    """All that a lab tells but its capture."""
    state = asdict(lab.state) | {"phase": lab.state.phase.name, "held": []}
    return {
        "state": state,
        "log": [{"time_ns": line.time_ns, "level": line.level, "text": line.text} for line in lab.log],
        "sessions": [_session(session) for session in lab.sessions],
        "secrets": lab.secrets,
    }


def _session(session: Session) -> Json:
    return {
        "transcript": [_entry(entry) for entry in session.transcript],
        "crossings": [_crossing(crossing) for crossing in session.attribution._kept],
        "connected": session.connected,
        "peer_closed": session.peer_closed,
        "local": session.local,
        "transfer": _transfer(session.client),
    }


def _entry(entry: Entry) -> Json:
    return {"time_ns": entry.time_ns, "kind": entry.kind.name, "text": entry.text, "call": entry.call}


def _crossing(crossing: CallTraffic) -> Json:
    return asdict(crossing) | {"sent": _ends(crossing.sent), "read": _ends(crossing.read)}


def _ends(part: range | None) -> list[int] | None:
    return None if part is None else [part.start, part.stop]


def _transfer(client: object) -> Json | None:
    if not isinstance(client, ZerocopyClient):
        return None
    return asdict(replace(client.transfer, buffer=cast("memoryview", None)))


# From a recording into a lab.


def state_of(told: Json) -> LabState:
    addresses = {name: told[name] and Endpoint(*told[name]) for name in ("address", "server_address")}
    plain = {"phase": Phase[told["phase"]], "accounts": Accounts(**told["accounts"]), "faults": tuple(told["faults"])}
    settings = tuple(Setting(**each) for each in told.get("settings", ()))
    return LabState(**{**told, **addresses, **plain, "held": (), "settings": settings})


def entry_of(told: Json) -> Entry:
    return Entry(**{**told, "kind": EntryKind[told["kind"]]})


def crossing_of(told: Json) -> CallTraffic:
    ranges = {name: told[name] and range(*told[name]) for name in ("sent", "read")}
    return CallTraffic(**{**told, **ranges, "local": Endpoint(*told["local"])})


class PlayedConnection(Connection):
    """What stands for a connection: it answers as the recorded one did, and has no socket."""

    def __init__(self, told: Json, client: object) -> None:
        super().__init__(Wake())
        self.client = cast("Client", client)
        self._told = told

    connected = property(lambda self: self._told["connected"])
    answered = property(lambda self: True)
    local = property(lambda self: self._told["local"] and Endpoint(*self._told["local"]))

    def peer_closed(self) -> bool:
        return bool(self._told["peer_closed"])

    def stream_fileno(self) -> int | None:
        return None

    def close(self) -> None:
        """There is nothing to close."""


class ReplayedLab(Lab):
    """A lab that tells what another one told; it runs nothing."""

    def __init__(self, topic: Topic, name: str, notify: Callable[[Event], None]) -> None:
        super().__init__(topic, notify=notify)
        self.told = told(name)
        self._file = RECORDINGS / f"{name}.pcapng"
        self._replayed = self.state

    @property
    def state(self) -> LabState:
        return getattr(self, "_replayed", None) or super().state

    @property
    def secrets(self) -> str:
        return str(self.told["secrets"])

    def start(self) -> None:
        """Tell it all, at once."""
        self._live_capture.began(self._file)
        self._live_capture.grow(CaptureExtent(self._file.stat().st_size))
        self._replayed = state_of(self.told["state"])
        for told in self.told["sessions"]:
            self._play(self.open(), told)
        for line in self.told["log"]:
            self._report(LogGrew(LogLine(line["time_ns"], line["level"], line["text"])))
        for event in (StateChanged(self._replayed), SessionsChanged(), CaptureRestarted()):
            self._report(event)

    def _play(self, session: Session, told: Json) -> None:
        repl = session._repl
        repl.connection = PlayedConnection(told, self._client(told["transfer"]))
        repl.connected_at = 1.0
        repl._closed_noted = True
        for crossing in map(crossing_of, told["crossings"]):
            repl.attribution._locals.add(crossing.local)
            repl.attribution._kept.append(crossing)
        for entry in map(entry_of, told["transcript"]):
            repl.transcript.entries.append(entry)
        repl._notify()

    def _client(self, transfer: Json | None) -> object:
        """A client of zero-copy with the payload in its buffer, as the capture has it; nothing for other topics."""
        if transfer is None:
            return None
        client = ZerocopyClient.__new__(ZerocopyClient)
        client.transfer, client.compared = Transfer(**{**transfer, "buffer": NOTHING}), cast("Any", [])
        if transfer["filled"] == transfer["size"] and not transfer["failure"]:
            capture = self._live_capture.capture
            chunks = capture.stream(capture.flows[0], Direction.TO_CLIENT)
            whole = b"".join(bytes(chunk.view) for chunk in chunks)
            client.transfer.buffer = memoryview(bytearray(whole[-transfer["size"] :]))
        return client


class ReplayedLive(LiveLab):
    """A replayed lab as the screen holds it."""

    def __init__(self, topic: Topic, name: str) -> None:
        super().__init__(topic)
        self.lab = ReplayedLab(topic, name, self.changes.note)


class Replay(Formatting):
    """Shows what was recorded as it was, by a clock that is the same everywhere."""

    version = "1.0"

    def clock(self, time_ns: int) -> str:
        return time.strftime("%H:%M:%S", time.gmtime(time_ns // 1_000_000_000))


class ReplayedApp(NetlabApp):
    """The app as it is, at the tab of a recorded lab, without moving or blinking."""

    def __init__(self, topic: str, part: str) -> None:
        def make_lab(wanted: Topic) -> LiveLab:
            live = ReplayedLive(wanted, name_of(topic, part))
            live.start()
            return live

        self.name_of_scene = name_of(topic, part)
        super().__init__(tabs(), topic, make_lab=make_lab, formatting=Replay())
        self.animation_level = "none"


def main() -> None:
    """Record every scene, each topic on its own port."""
    with tempfile.TemporaryDirectory() as folder:
        certificates = certs.ensure(Path(folder) / "certs")
        lab_module.lab_certificates = lambda: certificates
        for topic in SCENES:
            for part in PARTS:
                record(topic, part)


def record(topic: str, part: str) -> None:
    name = name_of(topic, part)
    with Lab(topic, port=topic_named(topic).port) as lab:
        perform(lab, lines_of(topic, part))
        settle(lab)
        lab.save(RECORDINGS / f"{name}.pcapng")
        (RECORDINGS / f"{name}.json").write_text(json.dumps(recorded(lab), indent=1, ensure_ascii=False) + "\n")
        sys.stdout.write(f"{name}: {lab.state.accounts.segments} segments\n")


def settle(lab: Lab) -> None:
    """Wait until the lab tells nothing new for half a second."""
    before: object = None
    while (now := (lab.state, lab.log.total, [session.transcript.total for session in lab.sessions])) != before:
        before = now
        time.sleep(0.5)


if __name__ == "__main__":
    main()
