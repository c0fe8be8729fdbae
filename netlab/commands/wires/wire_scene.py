"""``netlab wire scene.toml``: each wire of a scene is a child that runs ``netlab wire``; its lines get its name.

The children end with this process, also after kill -9: each watches its standard input.
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from netlab import scene
from netlab.dissect.text import safe
from netlab.lab.processes.child import PROGRAM, environment
from netlab.scene import Scene, SceneWire

WITH_INPUT: Final = "--end-with-input"
"""Lets a wire end when its standard input does."""
LONGEST_LINE: Final = 1 << 16


def run(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Run the scene that the arguments name until a signal comes; returns the exit status."""
    if arguments.to is not None or arguments.udp or arguments.fault or arguments.control or arguments.supervised:
        parser.error("the scene says where its wires go, and their faults; beside it --seed, --write, --limit, --keep")
    if arguments.write == "-":
        parser.error("--write - takes one wire; with a scene, --write FILE.pcapng writes FILE-NAME.pcapng for each")
    try:
        wires = scene.read(Path(arguments.scene))
    except scene.SceneError as error:
        sys.stderr.write(f"netlab wire: {error}\n")
        return 2
    return _Wires(wires, arguments).run()


class _Wires:
    """The children, and their lines."""

    def __init__(self, wires: Scene, arguments: argparse.Namespace) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._listening: set[str] = set()
        self._ending = self._failed = False
        self._streams = selectors.DefaultSelector()
        for number in _signals():
            signal.signal(number, self._stop)
        for each in wires.wires:
            self._start(each, arguments)

    def _start(self, wire: SceneWire, arguments: argparse.Namespace) -> None:
        child = subprocess.Popen(
            [*PROGRAM, "wire", *words(wire, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment({}),
        )
        self._children[wire.name] = child
        for stream, file in ((child.stdout, 1), (child.stderr, 2)):
            assert stream is not None
            self._streams.register(stream, selectors.EVENT_READ, (wire.name, file, bytearray()))
        if self._ending:
            child.terminate()

    def run(self) -> int:
        """Print their lines until all have ended. If one does not come to listen, all end."""
        while self._streams.get_map():
            for key, _ in self._streams.select():
                name, file, rest = key.data
                got = os.read(key.fd, LONGEST_LINE)
                for line in _lines(rest, got):
                    self._print(name, line, file)
                if not got:
                    self._streams.unregister(key.fileobj)
                    if file == 1:
                        self._over(name)
        statuses = [child.wait() for child in self._children.values()]
        return int(self._failed or any(statuses))

    def _over(self, name: str) -> None:
        """A wire has ended."""
        if self._ending:
            return
        self._failed = True
        if name not in self._listening:
            self._end()
        else:
            self._print(name, "the wire has ended; the others go on", 2)

    def _print(self, name: str, line: str, file: int) -> None:
        if line.startswith("listening on "):
            self._listening.add(name)
        try:
            os.write(file, f"{safe(name)}: {safe(line)}\n".encode("utf-8", "replace"))
        except OSError:  # nobody reads the lines any more, as after | head
            self._end()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._end()

    def _end(self) -> None:
        self._ending = True
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()


def words(wire: SceneWire, arguments: argparse.Namespace) -> Iterator[str]:
    """What follows ``netlab wire`` for one wire of a scene."""
    yield from ("--to", str(wire.to), "--listen", str(wire.listen or arguments.listen), WITH_INPUT)
    yield from ("--seed", str(arguments.seed), "--keep", arguments.keep)
    if arguments.limit:
        yield from ("--limit", str(arguments.limit))
    if wire.transport.value == "udp":
        yield "--udp"
    for spec in wire.faults:
        yield f"--fault={spec}"
    if arguments.write:
        yield f"--write={file_of(Path(arguments.write), wire.name)}"


def file_of(path: Path, name: str) -> Path:
    """The file of one wire of a scene: ``lab.pcapng`` becomes ``lab-redis.pcapng``."""
    kept = "".join(character if character.isalnum() or character in "-_." else "_" for character in name)
    return path.with_name(f"{path.stem}-{kept}{path.suffix}")


def _lines(rest: bytearray, got: bytes) -> Sequence[str]:
    """The whole lines so far; at the end also the last."""
    rest += got
    *whole, last = bytes(rest).split(b"\n")
    rest[:] = last if got else b""
    if not got and last:
        whole.append(last)
    del rest[LONGEST_LINE:]
    return [line.decode("utf-8", "replace") for line in whole]


def _signals() -> Iterator[signal.Signals]:
    yield signal.SIGTERM
    yield signal.SIGINT
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP
