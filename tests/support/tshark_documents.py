"""XML, JSON and XML-RPC as tshark sees them, beside our fields."""

from __future__ import annotations

import re
from ast import literal_eval
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from html import unescape
from json import loads

from netlab.dissect.fields import Field
from tests.support.wireshark import Pairs, values, walk

SCALARS = {"int", "i4", "i8", "boolean", "double", "string", "base64", "dateTime.iso8601"}
JSON_VALUES = {"string", "number", "boolean", "null"}


def compare_documents(fields: Iterable[Field], theirs: Pairs) -> None:
    """Calls by their values; of other XML the elements and attributes, of JSON the scalars."""
    found = list(fields)
    calls = [field for field in found if field.name in ("methodCall", "methodResponse") and field.layer]
    if calls:
        mine = [leaf for call in calls for field in _inside(call) if (leaf := _leaf(field))]
        assert mine == list(_their_leaves(theirs))
        return
    tags = [value.removeprefix("<").split()[0].rstrip("/>") for value in values(theirs, "xml.tag")]
    assert [field.name for field in found if field.kind == "element"] == tags
    attributes = [value.partition("=")[::2] for value in values(theirs, "xml.attribute")]
    mine = [(field.name, field.value) for field in found if field.kind == "attribute"]
    assert mine == [(name, unescape(value[1:-1])) for name, value in attributes]
    documents = [field for field in found if field.name == "JSON" and field.buffer is None]
    scalars = [_plain(field) for each in documents for field in _inside(each) if field.kind in JSON_VALUES]
    assert scalars == list(_their_scalars(theirs))


def _inside(field: Field) -> Iterator[Field]:
    yield field
    for child in field.children:
        yield from _inside(child)


# Calls


def _leaf(field: Field) -> tuple[str, str] | None:
    if field.name == "method" and field.kind == "text":
        return "methodName", field.value
    return (field.kind, _as_in_xml(field)) if field.kind in SCALARS else None


def _as_in_xml(field: Field) -> str:
    """A value of ours, which is Python's, as XML-RPC writes it; one that is not of its type stands as it came."""
    value = field.value
    if field.kind == "string":
        return str(literal_eval(value))
    if field.kind == "base64":
        return value[len("base64 ") :] if value.startswith("base64 ") else b64encode(literal_eval(value)).decode()
    if field.kind == "dateTime.iso8601" and (numbers := re.fullmatch(r"datetime\((.*)\)", value)):
        return datetime(*map(int, numbers[1].split(", "))).strftime("%Y%m%dT%H:%M:%S")
    return {"True": "1", "False": "0"}.get(value, value)


def _their_leaves(theirs: Pairs) -> Iterator[tuple[str, str]]:
    """The text within each tag that holds one, as XML-RPC means it."""
    tag = ""
    for key, value in walk(theirs):
        if key == "xml.tag":
            tag = str(value).strip("<>/ ")
        elif key == "xml.cdata" and (tag in SCALARS or tag == "methodName"):
            text = unescape(str(value))
            if tag == "double":
                text = str(float(text))
            yield tag, "".join(text.split()) if tag == "base64" else text


# JSON


def _plain(field: Field) -> str:
    return str(loads(field.value)) if field.kind == "string" else field.value


def _their_scalars(theirs: Pairs) -> Iterator[str]:
    for key, value in walk(theirs):
        name = key.removeprefix("json.value.")
        if name != key:
            yield name if name in ("true", "false", "null") else str(value)
