"""A server in a person's own file: loaded as ``python FILE`` would load it; its mistakes are named by their line."""

from __future__ import annotations

import importlib.util
import io
import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from netlab.topics.contract import Address, Server

MODULE = "own_server"
_LONGEST_LINE = 4096


class OwnFileError(Exception):
    """A file has no server that could serve; the text is one sentence."""


def server_in(path: Path, model: str, keywords: Mapping[str, object]) -> Callable[[Address], Server]:
    """What makes the file's server at an address: its ``Server``, or ``MODELS[model]`` if it has that.

    The class gets those keyword arguments that it takes. Raises `OwnFileError`, and so does what is returned.
    """
    module = _load(path)
    models = getattr(module, "MODELS", None)
    found = models.get(model) if isinstance(models, Mapping) else None
    found = found or getattr(module, "Server", None)
    if not callable(found):
        raise OwnFileError(f"{path.name} has no class Server")
    taken = _taken(found, keywords)

    def make(address: Address) -> Server:
        try:
            server: Server = found(address, **taken)
        except OSError:
            raise
        except Exception as error:
            raise OwnFileError(at_line(path, error)) from error
        return server

    return make


def _load(path: Path) -> object:
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise OwnFileError(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    sys.path.insert(0, str(path.parent))
    # Byte code would outlive its source: a file saved twice within a second, with the same length, counts as unchanged.
    sys.dont_write_bytecode = True
    try:
        exec(compile(path.read_bytes(), path, "exec", dont_inherit=True), module.__dict__)
    except OSError as error:
        raise OwnFileError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except (Exception, SystemExit) as error:
        raise OwnFileError(at_line(path, error)) from error
    return module


def _taken(function: Callable[..., object], keywords: Mapping[str, object]) -> dict[str, object]:
    """Those of the keyword arguments that a callable takes."""
    import inspect  # late: it is slow to import, and few servers are a person's own

    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return dict(keywords)
    return {name: value for name, value in keywords.items() if name in parameters}


def at_line(path: Path, error: BaseException) -> str:
    """``my_server.py, line 12: NameError: …``: the last line of the person's own files on the way to an error."""
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename or path).name}, line {error.lineno}: {error.msg}"
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).parent == path.parent:
            return f"{Path(frame.filename).name}, line {frame.lineno}: {what}"
    return f"{path.name}: {what}"


class LogStream(io.TextIOBase):
    """A text stream whose lines go to the log: what a person's server prints, while standard output carries reports."""

    def __init__(self, level: int) -> None:
        self._level, self._rest = level, ""

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, text: str) -> int:
        """Log the lines that are complete."""
        *lines, self._rest = (self._rest + text).split("\n")
        if len(self._rest) > _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], ""
        for line in lines:
            if line.strip():
                logging.getLogger("output").log(self._level, "%s", line.rstrip())
        return len(text)


def log_output() -> None:
    """Let what this process prints go to the log."""
    sys.stdout, sys.stderr = LogStream(logging.INFO), LogStream(logging.ERROR)
