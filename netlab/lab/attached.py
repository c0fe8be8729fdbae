"""A server of a person's own as the app attaches it: what it is, where its wire listens, and its faults."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from netlab.attachments.attachment import attachment
from netlab.capture.model import Endpoint, Keep, Transport
from netlab.dissect.text import safe
from netlab.folders import ports_file
from netlab.lab.lab import Lab
from netlab.lab.processes.lab_settings import LabSettings
from netlab.lab.processes.port_owner import CannotListen
from netlab.lab.processes.programs.program import PLACE, Program
from netlab.lab.processes.server_plan import Elsewhere, ServerPlan
from netlab.lab.remembered_ports import RememberedPorts
from netlab.lab.state import Phase
from netlab.topics.contract import Topic

HERE = "127.0.0.1"
LONGEST_COMMAND = 60
"""Characters of a command that are shown."""
LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Attached:
    """``listen`` is None for a free port, the same as last time; ``target`` is what the port is remembered by."""

    topic: Topic
    server: ServerPlan
    target: str
    listen: Endpoint | None = None
    faults: tuple[str, ...] = ()
    keylog: Path | None = None
    """Where its clients write their TLS secrets."""

    @property
    def settings(self) -> LabSettings:
        """How its lab is made: where the wire listens, its faults, and that its capture goes on when it is full."""
        host = self.listen.host if self.listen is not None else HERE
        keep = Keep.NEWEST
        return LabSettings(host=host, port=self.first_port, faults=self.faults, keylog=self.keylog, keep=keep)

    def named(self, name: str) -> Attached:
        """The same under another name, which no other tab has."""
        return replace(self, topic=replace(self.topic, name=name))

    @property
    def first_port(self) -> int:
        """Where its wire tries to listen first: as asked for, or as last time; 0 is any free port."""
        return self.listen.port if self.listen is not None else _ports().of(self.target)

    def start(self, lab: Lab) -> None:
        """Let its lab serve, at another port if the one of last time is taken. Raises `LabError`."""
        before = self.first_port
        try:
            lab.start()
        except CannotListen:
            if self.listen is not None or not before:
                raise
            lab.set_port(0)
        if lab.state.phase is not Phase.SERVING:  # a program was stopped before it listened
            return
        if self.listen is None and before in (0, lab.address.port):  # an app that has the usual port keeps it
            _ports().remember(self.target, lab.address.port)


def _ports() -> RememberedPorts:
    return RememberedPorts(ports_file())


def attach(
    to: Endpoint,
    transport: Transport = Transport.TCP,
    *,
    name: str = "",
    client: str = "",
    listen: Endpoint | None = None,
    faults: tuple[str, ...] = (),
) -> Attached:
    """The server at an address; ``client`` is the topic whose client speaks to it, empty for a raw one."""
    topic = attachment(to, transport, name=name, as_topic=client or None)
    return Attached(topic, Elsewhere(to), f"{transport.name} {to} {name}".rstrip(), listen, faults)


def attach_program(
    program: Program,
    transport: Transport = Transport.TCP,
    *,
    name: str = "",
    client: str = "",
    listen: Endpoint | None = None,
    faults: tuple[str, ...] = (),
) -> Attached:
    """A program that is started; the rest as for `attach`."""
    command = safe(shlex.join(program.arguments)).replace(f"'{PLACE}'", PLACE)
    title = name or safe(program.name)[:LONGEST_NAME]
    topic = attachment(Endpoint(HERE, program.port or 0), transport, name=title, as_topic=client or None)
    shown = command if len(command) <= LONGEST_COMMAND else f"{command[: LONGEST_COMMAND - 1]}…"
    topic = replace(topic, summary=f"your program, started here: {shown}")
    return Attached(topic, program, f"{transport.name} {Path.cwd()} {command} {name}".rstrip(), listen, faults)
