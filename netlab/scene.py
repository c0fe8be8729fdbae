"""Reads ``scene.toml``: wires with names, for `netlab attach`, `netlab wire` and the tests of a program.

```toml
[[wire]]
name = "redis"
to = "127.0.0.1:6379"          # needed: where the server is
listen = "127.0.0.1:7000"      # without it a free port
udp = false
faults = ["delay 50ms", "loss 1%"]
as = "wsgi"                    # the client that speaks to it; without it a raw one
```

A mistake is named with its line. This module starts nothing.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from netlab.attachments.attachment import CLIENTS
from netlab.capture.model import Endpoint, Transport
from netlab.dissect.text import safe
from netlab.names import parse_address
from netlab.wire.impairment import catalog

MOST_WIRES = 64
LONGEST_NAME = 24
LARGEST_FILE = 1 << 20

_HEADER = re.compile(r"\s*\[\[\s*[\"']?wire[\"']?\s*\]\]")
_ANY_HEADER = re.compile(r"\s*\[")
_KEYS = ("name", "to", "listen", "udp", "faults", "as")


class SceneError(Exception):
    """A scene cannot be read; the text is one sentence that names the file and, if possible, the line."""


@dataclass(frozen=True, slots=True)
class SceneWire:
    """One ``[[wire]]``. ``listen`` is None for a free port, ``client`` the topic of ``as`` or empty."""

    name: str
    to: Endpoint
    transport: Transport = Transport.TCP
    listen: Endpoint | None = None
    faults: tuple[str, ...] = ()
    client: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A file's wires, in its order; their names differ."""

    path: Path
    wires: tuple[SceneWire, ...]


def is_scene(text: str) -> bool:
    """Whether an argument names a scene and not an address."""
    return text.endswith(".toml")


def read(path: Path) -> Scene:
    """The scene in a file. Raises `SceneError`."""
    try:
        with path.open("rb") as file:
            source = file.read(LARGEST_FILE + 1)
        text = source.decode()
    except OSError as error:
        raise SceneError(f"cannot read {safe(str(path))}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SceneError(f"{safe(str(path))} is not UTF-8 text") from error
    if len(source) > LARGEST_FILE:
        raise SceneError(f"{safe(str(path))} is larger than a scene may be, {LARGEST_FILE:,} bytes")
    return parse(text, path)


def parse(text: str, path: Path) -> Scene:
    """The scene that a file's text describes. Raises `SceneError`."""
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SceneError(f"{safe(path.name)} is not TOML: {safe(str(error))}") from error
    lines = _Lines(path.name, text)
    for key in found:
        if key != "wire":
            raise lines.error(0, key, f"{key} is not known here; a scene has [[wire]] entries")
    entries = found.get("wire")
    if not (isinstance(entries, list) and entries and all(isinstance(entry, dict) for entry in entries)):
        raise SceneError(f"{safe(path.name)} has no [[wire]] entry")
    if len(entries) > MOST_WIRES:
        raise SceneError(f"{safe(path.name)} has {len(entries)} wires; the most is {MOST_WIRES}")
    return Scene(path, tuple(_wires(entries, lines)))


def _wires(entries: list[Mapping[str, object]], lines: _Lines) -> Iterator[SceneWire]:
    names: set[str] = set()
    for number, entry in enumerate(entries, 1):
        wire = _Entry(entry, number, lines).wire()
        if wire.name in names:
            raise lines.error(number, "name", f"another wire is called {safe(wire.name)}, too")
        names.add(wire.name)
        yield wire


class _Entry:
    """One ``[[wire]]`` as TOML gives it, with checks that name the line."""

    def __init__(self, entry: Mapping[str, object], number: int, lines: _Lines) -> None:
        self._entry, self._number, self._lines = entry, number, lines

    def wire(self) -> SceneWire:
        for key in self._entry:
            if key not in _KEYS:
                near = difflib.get_close_matches(key, _KEYS, 1)
                meant = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(_KEYS)}"
                raise self._error(key, f"{safe(key)[:40]} is not known{meant}")
        to = self._address("to")
        if to is None:
            raise self._error("", 'to = "HOST:PORT" is missing: where is the server?')
        if not to.port:
            raise self._error("to", "no server has port 0")
        transport = Transport.UDP if self._flag("udp") else Transport.TCP
        name = self._text("name") if "name" in self._entry else str(to)
        if not name.strip() or len(name) > LONGEST_NAME + 40 * ("name" not in self._entry) or not name.isprintable():
            raise self._error("name", f"a name has 1 to {LONGEST_NAME} printable characters")
        client = self._text("as") if "as" in self._entry else ""
        if client and (client not in CLIENTS or transport is Transport.UDP):
            raise self._error("as", f"as is one of {', '.join(CLIENTS)}, over TCP, not {safe(client)[:40]!r}")
        return SceneWire(name.strip(), to, transport, self._address("listen"), self._faults(transport), client)

    def _faults(self, transport: Transport) -> tuple[str, ...]:
        found = self._entry.get("faults", [])
        if not (isinstance(found, list) and all(isinstance(spec, str) for spec in found)):
            raise self._error("faults", 'faults is a list of texts, as in ["delay 50ms"]')
        for spec in found:
            try:
                catalog.parse(spec, transport)
            except ValueError as error:
                raise self._error("faults", safe(str(error)), spec) from None
        return tuple(found)

    def _address(self, key: str) -> Endpoint | None:
        if key not in self._entry:
            return None
        try:
            return parse_address(self._text(key))
        except ValueError as error:
            raise self._error(key, safe(str(error))) from None

    def _text(self, key: str) -> str:
        value = self._entry[key]
        if not isinstance(value, str):
            raise self._error(key, f"{key} is a text in quotes")
        return value

    def _flag(self, key: str) -> bool:
        value = self._entry.get(key, False)
        if not isinstance(value, bool):
            raise self._error(key, f"{key} is true or false")
        return value

    def _error(self, key: str, problem: str, part: str = "") -> SceneError:
        return self._lines.error(self._number, key, problem, part)


class _Lines:
    """Where the entries and their keys stand in the text: `tomllib` does not say."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._lines = safe(name), text.split("\n")
        self._starts = [number for number, line in enumerate(self._lines) if _HEADER.match(line)]

    def error(self, entry: int, key: str, problem: str, part: str = "") -> SceneError:
        """The error in a key of the entry with that number, from 1; entry 0 is outside all of them.

        ``part`` is the piece of the value that is wrong.
        """
        line = self._find(entry, key, part)
        where = f", line {line + 1}" if line is not None else f", wire {entry}" if entry else ""
        return SceneError(f"{self._name}{where}: {problem}")

    def _find(self, entry: int, key: str, part: str) -> int | None:
        if entry > len(self._starts):
            return None  # written otherwise than with [[wire]]
        start = self._starts[entry - 1] if entry else -1
        ends = (n for n in range(start + 1, len(self._lines)) if _ANY_HEADER.match(self._lines[n]) and entry)
        span = range(start + 1, next(ends, len(self._lines)))
        written = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
        at = next((n for n in span if key and written.match(self._lines[n])), start if entry else None)
        if at is None or not part:
            return at
        return next((n for n in span if n >= at and part in self._lines[n]), at)
