"""Calls of a client's operations, as values. The console's text is made from them and never parsed back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One operation, and its literal arguments. ``name`` may have dots, as XML-RPC's operations do."""

    name: str
    arguments: tuple[object, ...] = ()
    keywords: tuple[tuple[str, object], ...] = ()
