"""A topic client's keyword arguments as text, for the generator's process."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path


def as_text(keywords: Mapping[str, object]) -> str:
    """The arguments as a Python literal; paths become text, which clients take as well."""
    return repr({name: str(value) if isinstance(value, Path) else value for name, value in keywords.items()})


def keywords_of(text: str) -> dict[str, object]:
    """The arguments again."""
    return dict(ast.literal_eval(text))
