"""Reading a child's messages: a field of the expected type, or a fallback, for its JSON is not trusted to be right."""

from __future__ import annotations

from netlab.capture.model import Endpoint
from netlab.dissect.text import safe
from netlab.lab.processes.child import Message


def number(message: Message, name: str) -> int | None:
    """An integer, or None."""
    value = message.get(name)
    return value if isinstance(value, int) else None


def text(message: Message, name: str) -> str:
    """A string, safe for the screen; empty if it is missing."""
    value = message.get(name)
    return safe(value) if isinstance(value, str) else ""


def texts(message: Message, name: str) -> tuple[str, ...]:
    """A list of strings, safe for the screen."""
    value = message.get(name)
    return tuple(safe(each) for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def endpoint(message: Message) -> Endpoint:
    """``host`` and ``port``."""
    return Endpoint(text(message, "host"), number(message, "port") or 0)
