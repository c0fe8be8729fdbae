"""XML and JSON as indented lines, made of the fields that their readers found."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from netlab.dissect.fields import Field

_STEP = "  "
_ONE_LINE = 80
"""Characters up to which an element with one element in it stands on one line."""
_BRACKETS = {"object": "{}", "array": "[]"}


def xml_lines(element: Field, depth: int = 0) -> list[str]:
    """An element and what is in it, each on a line of its own; what holds one short element stands on its line."""
    attributes = [child for child in element.children if child.kind == "attribute"]
    inner = element.children[len(attributes) :]
    said = "".join(f' {each.name}="{escape(each.value)}"' for each in attributes)
    indent = _STEP * depth
    begin, end = f"{indent}<{element.name}{said}", f"</{element.name}>"
    if not inner:
        text = escape(element.value, quote=False).replace("\n", " ")
        return [f"{begin}>{text}{end}" if text else f"{begin}/>"]
    lines = [line for child in inner for line in _inner_lines(child, depth + 1)]
    if len(lines) == 1 and inner[0].kind == "element" and len(lines[0]) <= _ONE_LINE:
        return [f"{begin}>{lines[0].lstrip()}{end}"]
    return [f"{begin}>", *lines, f"{indent}{end}"]


def _inner_lines(child: Field, depth: int) -> list[str]:
    """An element, or text between elements."""
    if child.kind == "element":
        return xml_lines(child, depth)
    return [_STEP * depth + escape(child.value, quote=False).replace("\n", " ")]


def json_lines(value: Field, depth: int = 0, before: str = "", after: str = "") -> Iterator[str]:
    """A value and those in it, each on a line of its own."""
    indent = _STEP * depth
    brackets = _BRACKETS.get(value.kind)
    if brackets is None:
        yield f"{indent}{before}{value.value}{after}"
        return
    if not value.children:
        yield f"{indent}{before}{brackets}{after}"
        return
    yield f"{indent}{before}{brackets[0]}"
    last = len(value.children) - 1
    for number, child in enumerate(value.children):
        name = f'"{child.name}": ' if value.kind == "object" else ""
        yield from json_lines(child, depth + 1, name, "," if number < last else "")
    yield f"{indent}{brackets[1]}{after}"
