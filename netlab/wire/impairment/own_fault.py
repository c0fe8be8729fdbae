"""A person's own fault: a Python file that is named where a fault's name would stand, as in ``./shout.py 300 ->``.

The file defines a ``KIND``, as the files in ``netlab/wire/faults`` do. Whatever it does wrong is said in a sentence,
and segments go on as they came.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from netlab.dissect.text import safe
from netlab.wire.impairment.fault import Begin, Fault, FaultFile, FaultKind, Passing
from netlab.wire.impairment.requests import Close, Drop, Forward, Hold, Request, Reset

if TYPE_CHECKING:
    from random import Random

LARGEST_FILE: Final = 1 << 20
LONGEST_COMPLAINT: Final = 120
MOST_NEARBY: Final = 50
_SUFFIX: Final = ".py"
_MODULE: Final = "netlab_own_fault_"
_LOADED: dict[str, tuple[tuple[int, int], FaultKind]] = {}
_REQUESTS: Final = (Forward, Hold, Drop, Close, Reset)

OWN: Final = FaultKind(
    "",
    "FILE.py …",
    "",
    "a fault of your own, from a file (docs/adding-a-fault.md)",
    lambda words: _nothing_named(),
)
"""What lists and forms show for all own faults."""


def _nothing_named() -> Begin:
    raise ValueError("write the file, and what its fault takes: ./shout.py 300; without a space in its path")


def is_file(name: str) -> bool:
    """Whether a fault's name is that of a file."""
    return name.endswith(_SUFFIX)


def nearby() -> list[str]:
    """The files of the current folder that look like faults."""
    with contextlib.suppress(OSError):
        files = sorted(Path().glob(f"*{_SUFFIX}"))[:MOST_NEARBY]
        return [f"./{file.name}" for file in files if " " not in file.name and b"FaultKind" in file.read_bytes()]
    return []


def stamp(path: str) -> tuple[int, int] | None:
    """What changes when a file is saved; None if it is not there."""
    try:
        status = Path(path).expanduser().stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def load(path: str) -> FaultKind:
    """The kind that a file defines, read again if it was saved. Raises `ValueError` with a sentence."""
    now = stamp(path)
    if now is None:
        raise ValueError(f"there is no file {safe(path)}; paths count from {safe(str(Path.cwd()))}")
    if path not in _LOADED or _LOADED[path][0] != now:
        _LOADED[path] = now, _loaded(path)
    return _LOADED[path][1]


def _loaded(path: str) -> FaultKind:
    module = ModuleType(f"{_MODULE}{Path(path).stem}")
    try:
        with Path(path).expanduser().open("rb") as file:
            source = file.read(LARGEST_FILE)
        module.__file__ = path
        sys.modules[module.__name__] = module  # dataclasses look there for their annotations
        exec(compile(source, path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:  # whatever it raises concerns this fault alone
        raise ValueError(f"{safe(path)} does not load: {_said(error, path)}") from error
    kind = getattr(module, "KIND", None)
    if not isinstance(kind, FaultKind):
        raise ValueError(f"{safe(path)} needs a KIND, a FaultKind (docs/adding-a-fault.md shows one)")
    return kind


def guarded(kind: FaultKind, words: list[str], path: str) -> tuple[Begin, FaultFile]:
    """What makes an own fault that cannot stop the wire, and its file, where its complaints appear.

    Raises `ValueError` with a sentence if its words are wrong.
    """
    file = FaultFile(path, stamp(path))
    try:
        begin = kind.parse(words)
    except ValueError:
        raise
    except Exception as error:  # as above
        raise ValueError(f"{safe(path)}: {_said(error, path)}") from error
    return lambda: _Guarded(begin, file), file


class _Guarded:
    """An own fault in one direction of one flow. If it fails, a segment passes, and its fate says so."""

    def __init__(self, begin: Begin, file: FaultFile) -> None:
        self._begin, self._file = begin, file
        self._fault: Fault | None = None

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Act, or pass on."""
        try:
            if self._fault is None:
                self._fault = self._begin()
            return tuple(map(_checked, self._fault(segment, clock, random)))
        except Exception as error:  # noqa: BLE001 - whatever it raises concerns this fault alone
            said = _said(error, self._file.path)
            self._file.complaints.append(f"the fault {safe(self._file.path)} failed: {said}")
            return (Forward(segment.payload, f"fault failed: {said}"[:LONGEST_COMPLAINT]),)


def _checked(request: Request) -> Request:
    """A request that the wire can carry out; bytes become a view."""
    if not isinstance(request, _REQUESTS):
        raise TypeError(f"{type(request).__name__} is not a request, such as Forward(segment.payload)")
    if isinstance(request, Forward | Hold):
        if isinstance(request, Hold) and not request.seconds >= 0:
            raise ValueError(f"it holds for {request.seconds} seconds")
        original = None if request.original is None else _view(request.original)
        request = replace(request, payload=_view(request.payload), original=original)
    return replace(request, fate=safe(str(request.fate))[:LONGEST_COMPLAINT])


def _view(payload: memoryview) -> memoryview:
    return payload if isinstance(payload, memoryview) else memoryview(bytes(payload))


def _said(error: BaseException, path: str) -> str:
    """An error in a few words, with its line in the file."""
    import traceback  # late: few wires have such a fault

    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    text = error.msg if isinstance(error, SyntaxError) else safe(str(error))
    where = f"line {line}: " if line is not None else ""
    return f"{where}{type(error).__name__}: {text}"[: 2 * LONGEST_COMPLAINT]
