"""The wires of a test or of a test session, and what a failure shows of them. Loaded with the first wire."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netlab.api.address_arguments import Address
from netlab.api.async_wire import AsyncWire
from netlab.api.public_wire import Wire, specs_of
from netlab.api.segments_so_far import line
from netlab.api.wire_errors import WireError
from netlab.capture.model import Transport
from netlab.dissect.text import safe
from netlab.lab.processes.setup import CAPTURE_LIMIT

if TYPE_CHECKING:
    from netlab.scene import SceneWire

SHOWN = 20
"""Segments of each wire in a report."""
_LONGEST_NAME = 120
_KEYWORDS = frozenset({"faults", "seed", "wire"})


class Wires:
    """Makes wires, and ends them. Call it as you would call `netlab.Wire`; the wire is started.

    ``name`` is for reports, and for the mark's ``wire``; ``wires[name]`` finds the wire, or starts the one of that name
    in the scene that ``--netlab-scene`` gives. The session's wires have no ``item``.
    """

    def __init__(self, config: pytest.Config, item: pytest.Item | None = None) -> None:
        self._config, self._item = config, item
        self.made: dict[str, Wire] = {}
        self._clean: dict[str, tuple[tuple[str, ...], int]] = {}

    def __call__(
        self,
        to: Address,
        *,
        listen: Address = "127.0.0.1:0",
        udp: bool = False,
        faults: Iterable[str] = (),
        seed: int | None = None,
        limit: int = CAPTURE_LIMIT,
        name: str = "",
    ) -> Wire:
        """A wire that runs, with the mark's faults after its own."""
        name = name or f"wire {len(self.made) + 1}"
        if name in self.made:
            raise WireError(f"there is a wire named {name!r} already", "give each another name")
        mark = _Mark.of(self._item, name)
        seed = next(each for each in (seed, mark.seed, self._config.getoption("--netlab-seed")) if each is not None)
        first = (*specs_of(faults), *mark.faults)
        wire = Wire(to, listen=listen, udp=udp, faults=first, seed=seed, limit=limit)
        wire.start()
        self.made[name], self._clean[name] = wire, (first, seed)
        return wire

    def __getitem__(self, name: str) -> Wire:
        """The wire of that name."""
        if name not in self.made:
            entry = self._entry(name)
            listen, udp = entry.listen or "127.0.0.1:0", entry.transport is Transport.UDP
            return self(entry.to, listen=listen, udp=udp, faults=entry.faults, name=name)
        return self.made[name]

    def _entry(self, name: str) -> SceneWire:
        """The wire of that name in the scene."""
        from netlab.scene import SceneError, read  # late: few tests have one

        path = self._config.getoption("--netlab-scene")
        if path is None:
            known = ", ".join(self.made) or "none yet"
            raise WireError(f"there is no wire named {name!r}; there are {known}", "--netlab-scene FILE brings more")
        try:
            wires = read(self._config.invocation_params.dir / path).wires
        except SceneError as error:
            raise WireError(str(error)) from None
        found = next((wire for wire in wires if wire.name == name), None)
        if found is None:
            raise WireError(
                f"no wire in {path} is named {name!r}", f"there are {', '.join(each.name for each in wires)}"
            )
        return found

    async def asynchronous(
        self,
        to: Address,
        *,
        listen: Address = "127.0.0.1:0",
        udp: bool = False,
        faults: Iterable[str] = (),
        seed: int | None = None,
        limit: int = CAPTURE_LIMIT,
        name: str = "",
    ) -> AsyncWire:
        """The same for coroutines."""
        return AsyncWire.over(self(to, listen=listen, udp=udp, faults=faults, seed=seed, limit=limit, name=name))

    def impair(self, item: pytest.Item) -> None:
        """Let the faults of a test's mark act."""
        for name, wire in self.made.items():
            mark = _Mark.of(item, name)
            if mark.faults or mark.seed is not None:
                wire.fault(*mark.faults, seed=mark.seed)

    def restore(self) -> None:
        """Make all wires again what they were when they were made: no test knows what others did with them."""
        for name, wire in self.made.items():
            faults, seed = self._clean[name]
            wire.intercept()
            wire.release()
            wire.replace()
            wire.fault(*faults, seed=seed)
            wire.up()

    def __enter__(self) -> Wires:
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.ExitStack() as ending:
            for wire in self.made.values():
                ending.callback(wire.close)


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a test's marks say of one wire."""

    faults: tuple[str, ...] = ()
    seed: int | None = None

    @classmethod
    def of(cls, item: pytest.Item | None, name: str) -> _Mark:
        """All marks that mean this wire: those of the module first, then of the class, then of the function."""
        faults: list[str] = []
        seed: int | None = None
        for mark in reversed(list(item.iter_markers("netlab"))) if item is not None else ():
            if mark.args or not mark.kwargs.keys() <= _KEYWORDS or isinstance(mark.kwargs.get("faults"), str):
                raise WireError(
                    f"the mark netlab was given {mark.args or dict(mark.kwargs)}",
                    "write it as in @pytest.mark.netlab(faults=['delay 50ms'], seed=1, wire='wire 1')",
                )
            if mark.kwargs.get("wire", name) == name:
                faults += mark.kwargs.get("faults", ())
                seed = mark.kwargs.get("seed", seed)
        return cls(tuple(faults), seed)


class TestReport:
    """What a failing test shows of its wires: its own part of each capture, and the file where that was saved."""

    __test__ = False  # for pytest, which would take it for a class of tests

    def __init__(self, item: pytest.Item, folder: Path | None) -> None:
        self._name, self._folder = item.nodeid, folder
        self._spans: dict[Wire, tuple[str, int]] = {}
        self._sources: list[Wires] = []
        self._taken: list[tuple[str, str]] | None = None
        self._files: list[Path] = []
        self._failed = False

    def add(self, wires: Wires) -> None:
        """The test uses the wires that are made here."""
        if wires not in self._sources:
            self._sources.append(wires)

    def begin(self, wires: Wires) -> None:
        """The same for those that are made already: what has crossed before is not the test's."""
        self.add(wires)
        self._spans |= {wire: (name, len(wire.segments)) for name, wire in wires.made.items()}

    @property
    def sections(self) -> list[tuple[str, str]]:
        """The titles and texts for a failure."""
        self._failed = True
        self.take()
        return self._taken or []

    def take(self) -> None:
        """Look now, unless that was done: afterwards the wires may be gone."""
        if self._taken is None:
            made = {wire: (name, 0) for wires in self._sources for name, wire in wires.made.items()}
            spans = made | self._spans
            self._taken = [self._section(wire, *span) for wire, span in spans.items()]

    def end(self) -> None:
        """The test is over: remove what was saved in case its teardown would fail."""
        for file in () if self._failed else self._files:
            file.unlink(missing_ok=True)

    def _section(self, wire: Wire, name: str, before: int) -> tuple[str, str]:
        title = f"netlab {name}: {wire.address} → {wire.to}"
        segments = wire.segments
        mine = segments[max(before, len(segments) - SHOWN) :]
        count = len(segments) - before
        lines = [f"seed {wire.seed}, faults: {', '.join(wire.faults) or 'none'}"]
        if not mine:
            return title, "\n".join([*lines, "nothing crossed in this test"])
        began = mine[0].time_ns if len(mine) < count else segments[before].time_ns
        last = f", the last {len(mine)} of them" if len(mine) < count else ""
        lines.append(f"{count} segments crossed in this test{last}:")
        lines += [line(segment, began) for segment in mine]
        if wire.note:
            lines.append(wire.note)
        if self._folder is not None:
            lines.append(self._save(wire, self._folder, f"{self._name}-{name}", before))
        return title, "\n".join(lines)

    def _save(self, wire: Wire, folder: Path, name: str, before: int) -> str:
        """Save its capture under a name of its own; what to say of it."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".netlab-") as private:
                saved = wire.save(Path(private, "capture.pcapng")).path
                target = _only(saved, folder, safe_name(name))
        except (OSError, WireError) as error:
            return f"the capture could not be saved in {safe(str(folder))}: {error}"
        self._files.append(target)
        since = f"; this test begins with segment {before + 1}" if before else ""
        return f"saved as {safe(str(target))}{since}"


def safe_name(text: str) -> str:
    """A file's name for any system, from a test's: letters, digits, dots, lines; not hidden, not long."""
    plain = re.sub(r"[^A-Za-z0-9._]+", "-", text.replace("::", "-").replace("/", "-"))
    return plain[-_LONGEST_NAME:].strip("._-") or "test"


def _only(saved: Path, folder: Path, name: str) -> Path:
    """Copy to a file that was not there, whatever else saves there at the same time."""
    number = 1
    while True:
        target = folder / f"{name}{f'-{number}' if number > 1 else ''}.pcapng"
        try:
            file = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            number += 1
            continue
        with os.fdopen(file, "wb") as into, saved.open("rb") as source:
            while piece := source.read(1 << 20):
                into.write(piece)
        return target
