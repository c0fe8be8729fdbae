"""A value as Python writes it, without first writing out all of a large one."""

from __future__ import annotations

import array


class _Cut:
    """A text that stands for a value."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def short(value: object, most: int) -> object:
    """The value, or something that is written as its beginning if it is an array or a list of very many elements."""
    if not isinstance(value, array.array | list | tuple) or len(value) <= most:
        return value
    return _Cut(f"{repr(value[:most])[:-2]}, … {len(value) - most:,} more elements")
