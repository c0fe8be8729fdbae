"""Finds the protocols: each a file in `netlab.dissect.protocols` with ``PROTOCOL``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from netlab.dissect.flow import Protocol

_PACKAGE = "netlab.dissect.protocols"


@cache
def protocols() -> tuple[Protocol, ...]:
    """All protocols, by ``order``, then name."""
    found = [_protocol(name) for name in _names()]
    return tuple(sorted(found, key=lambda protocol: (protocol.order, protocol.name)))


def protocol_named(name: str) -> Protocol | None:
    """One protocol, without importing the others; None if there is none of that name."""
    return _protocol(name) if name in _names() else None


@cache
def _names() -> tuple[str, ...]:
    spec = find_spec(_PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    files = [file.stem for folder in folders or () for file in Path(folder).glob("[a-z]*.py")]
    return tuple(sorted(files))


@cache
def _protocol(name: str) -> Protocol:
    protocol = import_module(f"{_PACKAGE}.{name}").PROTOCOL
    if not isinstance(protocol, Protocol):
        raise TypeError(f"PROTOCOL of {name}.py is a {type(protocol).__name__}, not a Protocol")
    return protocol
