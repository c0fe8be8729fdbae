"""Copies a call of the console as a command of another tool: what the topics' ``copy_as.py`` share.

Each command is complete: it runs unchanged while the lab serves.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netlab.capture.model import Endpoint

_PLAIN = frozenset(string.ascii_letters + string.digits + ' !#$&()*+,-./:;<=>?@[]^_{|}~"')


@dataclass(frozen=True, slots=True)
class CopiedCall:
    """The last call of a client; without a name if there was none.

    ``options`` are the client's keyword arguments, including secrets; ``certificates`` is the folder of the lab's.
    """

    address: Endpoint
    name: str = ""
    arguments: tuple[object, ...] = ()
    keywords: Mapping[str, object] = field(default_factory=dict)
    certificates: Path | None = None
    options: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def payload(self) -> bytes:
        """The bytes that the call sent; if none, a whole line, which every server answers."""
        given = self.arguments[0] if self.arguments else None
        return given if isinstance(given, bytes) and given else b"Hello\n"


class Missing(str):
    """A comment in place of a command: ``what`` is not possible, and why."""

    __slots__ = ("what",)
    what: str

    def __new__(cls, what: str, why: str) -> Missing:
        """``# WHAT: WHY``."""
        made = super().__new__(cls, f"# {what}: {why}")
        made.what = what
        return made

    @classmethod
    def equivalent(cls, tool: str, why: str) -> Missing:
        """This tool cannot make the call."""
        return cls(f"no equivalent with {tool}", why)


CopyAs = Callable[[CopiedCall], Sequence[tuple[str, str]]]
"""What a topic's ``copy_as`` is: for each tool its name, and the command, program or `Missing`."""


def printf(data: bytes) -> str:
    """A shell command that writes these bytes; POSIX ``printf``, so octal."""
    return "printf '" + "".join(chr(b) if chr(b) in _PLAIN else f"\\{b:03o}" for b in data) + "'"


def kept_open(data: bytes, seconds: int = 1) -> str:
    """A shell command that writes these bytes and ends later, since Ncat exits when its input ends."""
    return f"({printf(data)}; sleep {seconds})"


def program(*lines: str) -> str:
    """Lines as a Python program."""
    return "\n".join(lines) + "\n"


def none(tool: str, why: str) -> tuple[str, Missing]:
    """A tool that cannot make the call."""
    return tool, Missing.equivalent(tool, why)
