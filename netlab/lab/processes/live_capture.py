"""The capture of a lab: the private folder, the file that the wire writes now, and the reader of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from netlab.capture import savefile
from netlab.capture.capture_file import Capture
from netlab.capture.files.destination import CaptureFile
from netlab.capture.model import CaptureError
from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.processes.key_log import KeyLog
from netlab.lab.processes.private_folder import PrivateFolder

_BATCH, _PAUSE = 400, 0.0005
"""Packets read in one go, about 0.5 ms, and seconds before the next go. A thread that waits for the
interpreter's lock meanwhile, as the screen does for a key, gets it only when this one sleeps, or after 5 ms."""


class Saved(NamedTuple):
    """Where a capture was saved, and where an older file of that name is kept."""

    path: Path
    kept: Path | None

    def __str__(self) -> str:
        kept = f"; what was there is now {safe(str(self.kept))}" if self.kept is not None else ""
        return f"{safe(str(self.path))}{kept}"


class CaptureExtent(NamedTuple):
    """How many bytes of a capture are complete; ``files`` if it has several, oldest first."""

    length: int = 0
    files: tuple[CaptureFile, ...] = ()


class LiveCapture:
    """Files in a private folder, one after the other; ``limit`` is the most that one of them holds, in bytes."""

    def __init__(self, limit: int, folder: PrivateFolder | None = None) -> None:
        self._limit, self._folder = limit, folder
        self._keylog: KeyLog | None = None
        self._removed = False
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._growing = threading.Lock()
        self._file: Path | None = None
        self._capture: Capture | None = None
        self._saved = 0

    def next_file(self) -> Path:
        """A name for the wire to write to; raises `LabError` if no folder can be made."""
        with self._lock:
            return self._private().capture(next(self._numbers))

    def began(self, file: Path) -> None:
        """The wire writes to this file now. The one before is removed; views of it stay valid."""
        with self._lock:
            if self._file is not None and self._file != file:
                for old in (self._file, *self._file.parent.glob(f"{self._file.stem}.*{self._file.suffix}")):
                    with contextlib.suppress(OSError):
                        old.unlink()
            self._file, self._capture, self._saved = file, None, 0

    @property
    def shown(self) -> Capture | None:
        """The reader of the file, or None before anything was captured."""
        with self._lock, contextlib.suppress(OSError):
            if self._capture is None and self._file is not None:
                self._capture = Capture(self._file)
        return self._capture

    @property
    def capture(self) -> Capture:
        """The reader of the file; an empty one before anything was captured."""
        return self.shown or self._nothing()

    def grow(self, captured: CaptureExtent) -> int:
        """Read what is new and complete; how many segments that gave."""
        capture, total = self.shown, 0
        if capture is None:
            return 0
        while True:
            with self._growing:
                before = capture.position
                total += capture.grow(captured.length, at_most=_BATCH, files=captured.files)
                if capture.position in (before, captured.length):
                    return total
            time.sleep(_PAUSE)

    @property
    def unsaved(self) -> int:
        """How many segments came since it was last saved."""
        shown = self.shown  # a start of the lab may replace it at any moment
        return len(shown.segments) - self._saved if shown is not None else 0

    @property
    def keylog(self) -> Path:
        """Where clients write their secrets: private, and gone with the lab and with its process."""
        with self._lock:
            if self._keylog is None:
                self._refuse_when_removed()
                self._keylog = KeyLog(lambda: self._private().path)
            return self._keylog.path

    @property
    def secrets(self) -> str:
        """What clients wrote there; empty if none did."""
        with self._lock:
            return "" if self._keylog is None else self._keylog.text

    def save(self, path: str | os.PathLike[str], captured: CaptureExtent, *, secrets: bytes | None = None) -> Saved:
        """Copy what is complete to ``path``, all or nothing; what is there is kept beside it.

        ``secrets`` are put inside.
        """
        if self._file is None or not captured.length:
            raise LabError("nothing was captured yet", "send something first")
        target = Path(path).expanduser()
        try:
            if target.is_dir():
                raise IsADirectoryError(0, "it is a folder")
            files = captured.files or (CaptureFile(str(self._file), 0),)
            kept = savefile.save_files(files, captured.length, target, secrets=secrets)
        except (OSError, CaptureError, RuntimeError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            what = f"could not save to {safe(str(target))}: {safe(reason)}"
            raise LabError(what, "choose another file, as in :save ~/lab.pcapng") from None
        self.grow(captured)
        self._saved = len(self.capture.segments)
        return Saved(target, kept)

    def remove(self) -> None:
        """Remove the folder and everything in it. A capture that is open can still be read."""
        with self._lock:
            self._removed = True
            if self._keylog is not None:
                self._keylog.close()
            if self._folder is not None:
                self._folder.remove()
                self._folder = None

    def _refuse_when_removed(self) -> None:
        if self._removed:
            raise LabError("the lab is closed", "make another one")

    def _private(self) -> PrivateFolder:
        self._refuse_when_removed()
        if self._folder is None:
            try:
                self._folder = PrivateFolder(self._limit)
            except OSError as error:
                where = tempfile.gettempdir()
                raise LabError(f"no folder for the capture in {where}: {error.strerror}", "set TMPDIR") from None
        return self._folder

    def _nothing(self) -> Capture:
        with tempfile.NamedTemporaryFile(prefix="netlab-empty-") as empty:
            return Capture(empty.name)
