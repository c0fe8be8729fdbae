"""Calls of a client's operations, as values: what a console shows is made of them and never parsed back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One operation, and its literal arguments. ``name`` has dots where the server's operations have (XML-RPC)."""

    name: str
    arguments: tuple[object, ...] = ()
    keywords: tuple[tuple[str, object], ...] = ()
