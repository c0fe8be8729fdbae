"""The console lines that the keys of the views pane send: each is one that a person could type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain, count

from netlab.dissect.search import PatternRefused, parse_pattern
from netlab.lab.views.element_text import subscript
from netlab.lab.views.view_facts import Group, ViewFacts

_SLICE = re.compile(r"\[?\s*(-?\d{0,18})\s*(?::\s*(-?\d{0,18})\s*)?(?::\s*(-?\d{0,18})\s*)?\]?")


def new_name(groups: Iterable[Group]) -> str:
    """A name that is free: ``w``, ``x``, ``y``, ``w1`` …"""
    taken = set[str]()
    for group in groups:
        taken.update(group.buffer.names if group.buffer is not None else ())
        taken.update(name for view in group.views for name in (view.name, *view.also))
    return next(name for name in chain("wxy", (f"w{number}" for number in count(1))) if name not in taken)


def parse_slice(typed: str) -> tuple[str, slice]:
    """A slice as a person types it, ``4:8``, ``::2``, ``[::-1]``, and ``2`` for every second element.

    Returns it as Python writes it. `ValueError` says what is wanted.
    """
    found = _SLICE.fullmatch(typed.strip())
    if found is None or "-" in found.groups():
        raise ValueError("a slice is wanted: 4:8, ::2, ::-1, or only a step: 2")
    start, stop, step = (int(number) if number else None for number in found.groups())
    if ":" not in typed:
        start, step = None, start
    if step == 0:
        raise ValueError("slice step cannot be zero")
    text = f"{'' if start is None else start}:{'' if stop is None else stop}"
    return f"{text}:{step}" if step is not None else text, slice(start, stop, step)


def elements_of(view: ViewFacts, part: slice) -> int:
    """How many elements of its first dimension a slice of a view has."""
    return len(range(*part.indices(view.shape[0])))


def slice_line(view: ViewFacts, typed: str, name: str) -> str:
    """``w = v[::2]``."""
    return f"{name} = {view.name}[{parse_slice(typed)[0]}]"


def cast_line(view: ViewFacts, arguments: str, name: str) -> str:
    """``w = v.cast('H')``."""
    return f"{name} = {view.name}.cast({arguments})"


def release_line(view: ViewFacts) -> str:
    """``v.release()``."""
    return f"{view.name}.release()"


def write_line(view: ViewFacts, index: Sequence[int], typed: str) -> str:
    """``v[0:2] = b'bb'`` for bytes in one dimension, else ``v[0] = 7``. `ValueError` says what is wanted."""
    if view.format == "B" and view.ndim == 1:
        try:
            content = parse_pattern(typed)
        except PatternRefused as error:
            raise ValueError(str(error)) from None
        (at,) = index
        return f"{view.name}[{at}:{at + len(content)}] = {content!r}"
    if not re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?|True|False|b'[ -&(-\[\]-~]'", typed.strip()):
        raise ValueError(f"a value for the format {view.format!r} is wanted, such as 258")
    return f"{view.name}{subscript(index)} = {typed.strip()}"
