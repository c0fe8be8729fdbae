"""An XML-RPC call or its response in XML: the method, the parameters with their types, or the fault.

expat reads the XML; where a DTD begins, reading ends. Values are described, not made.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from xml.parsers import expat

from netlab.dissect.documents.document import SHOWN, Content, cut_text
from netlab.dissect.fields import Field
from netlab.dissect.text import safe

MOST_READ = 1 << 20
"""Bytes of XML that are read."""
MOST_VALUES = 2000
DEEPEST = 100
"""Tags within tags; what lies deeper is not described."""
SCALARS = {"int", "i1", "i2", "i4", "i8", "boolean", "double", "string", "base64", "dateTime.iso8601", "nil"}


@dataclass(slots=True)
class _Element:
    """A tag that is open: its text so far, and what was found in it."""

    tag: str
    start: int
    text: str = ""
    length: int = 0
    name: str = ""
    kind: str = ""
    value: str = ""
    fields: list[Field] = field(default_factory=list)


class _Stopped(Exception):
    """Reading ends here, for this reason."""


class _Description:
    """Turns tags into fields, while expat reads."""

    def __init__(self, view: memoryview, where: Callable[[int], int]) -> None:
        self.view, self.where = view, where
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.open = [_Element("", 0)]
        self.values = 0
        self.method = self.outcome = ""
        self.cut = False  # reading has ended: elements that are closed from here on are not whole
        self.missing = False  # the innermost list of values is not whole

    def read(self) -> str:
        """Read the XML; return why reading stopped, or nothing."""
        problem = ""
        try:
            self.parser.Parse(self.view[:MOST_READ], True)
        except _Stopped as stopped:
            problem = str(stopped)
        except (expat.ExpatError, LookupError, ValueError) as error:  # not XML, or in an unknown encoding
            problem = f"the body is not well-formed XML: {error}"
        self.cut = self.missing = len(self.open) > 1
        while len(self.open) > 1:
            self.close(min(len(self.view), MOST_READ))
        return f"only the first {MOST_READ} bytes of XML are read" if len(self.view) > MOST_READ else problem

    def doctype(self, *declared: object) -> None:
        """A DTD begins: its entities could grow without end."""
        raise _Stopped("XML with a DTD is not read")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A tag opened."""
        if len(self.open) > DEEPEST:
            raise _Stopped(f"the XML is nested more than {DEEPEST} tags deep")
        if tag == "value":
            self.values += 1
            if self.values > MOST_VALUES:
                raise _Stopped(f"only the first {MOST_VALUES} values are read")
        self.open.append(_Element(tag, self.parser.CurrentByteIndex))

    def text(self, text: str) -> None:
        """Text in a tag; only the beginning of a long one is kept."""
        element = self.open[-1]
        element.text = (element.text + text[: SHOWN + 1])[: SHOWN + 1]
        element.length += len(text)

    def end(self, tag: str) -> None:
        """A tag closed."""
        at = self.parser.CurrentByteIndex
        closing = bytes(self.view[at : at + len(tag) + 64])
        self.close(at + closing.find(b">") + 1 if closing.startswith(b"</") else at)

    def close(self, end: int) -> None:
        """Pass an element's meaning on to the element around it."""
        element = self.open.pop()
        if element.tag in SCALARS:
            self.open[-1].kind, self.open[-1].value = element.tag, _scalar(element) + "…" * self.cut
        elif element.tag in _CLOSE:
            _CLOSE[element.tag](self, element, self.open[-1], end)
        elif element.fields:
            self.open[-1].fields += element.fields

    def listed(self, before: str, values: Iterable[str], after: str) -> str:
        """Values with commas between; if reading ended among them, ``…`` stands for the rest."""
        missing, self.missing = self.missing, False
        return _listed(before, [*values, "…"] if missing else values, after)

    def span(self, name: str, element: _Element, end: int, kind: str = "", value: str = "") -> Field:
        """A field for an element and what was found in it."""
        fields, start = tuple(element.fields), self.where(element.start)
        stop = max(self.where(max(end - 1, 0)) + 1, start)
        layer = name in ("methodCall", "methodResponse")
        return Field(name, start, stop, kind or element.kind, value or element.value, fields, layer)


def _close_value(read: _Description, element: _Element, around: _Element, end: int) -> None:
    if read.cut and not element.kind and not element.text.strip():
        return  # its type has not come yet
    if not element.kind:  # a value without a type is a string
        element.kind, element.value = "string", _scalar(element)
    name = "value"
    if around.tag == "data":
        name = str(len(around.fields))
    if around.tag == "param":
        name = f"param {len(read.open[-2].fields) + 1}"
    around.fields.append(read.span(name, element, end))


def _close_array(read: _Description, element: _Element, around: _Element, end: int) -> None:
    around.kind, around.fields = "array", element.fields
    around.value = read.listed("[", (item.value for item in element.fields), "]")


def _close_struct(read: _Description, element: _Element, around: _Element, end: int) -> None:
    around.kind, around.fields = "struct", element.fields
    around.value = read.listed("{", (f"{item.name!r}: {item.value}" for item in element.fields), "}")


def _close_name(read: _Description, element: _Element, around: _Element, end: int) -> None:
    around.name = safe(_cut(element))


def _close_member(read: _Description, element: _Element, around: _Element, end: int) -> None:
    for value in element.fields[:1]:
        start, stop = read.where(element.start), read.where(max(end - 1, 0)) + 1
        around.fields.append(Field(element.name or "value", start, stop, value.kind, value.value, value.children))


def _close_method(read: _Description, element: _Element, around: _Element, end: int) -> None:
    read.method = safe(_cut(element))
    around.fields.append(read.span("method", element, end, "text", read.method))


def _close_fault(read: _Description, element: _Element, around: _Element, end: int) -> None:
    members = {item.name: item.value for value in element.fields for item in value.children}
    read.outcome = f"Fault {members.get('faultCode', '?')}: {members.get('faultString', '?')}"
    element.fields = [item for value in element.fields for item in value.children] or element.fields
    around.fields.append(read.span("fault", element, end, "fault", read.outcome))


def _close_call(read: _Description, element: _Element, around: _Element, end: int) -> None:
    words = (item.value for item in element.fields if item.name != "method")
    read.outcome = read.listed(f"{read.method or '?'}(", words, ")")
    around.fields.append(read.span("methodCall", element, end, "call", read.outcome))


def _close_response(read: _Description, element: _Element, around: _Element, end: int) -> None:
    read.outcome = read.outcome or _listed("→ ", (item.value for item in element.fields), "")
    around.fields.append(read.span("methodResponse", element, end, "response", read.outcome))


_CLOSE: dict[str, Callable[[_Description, _Element, _Element, int], None]] = {
    "value": _close_value,
    "array": _close_array,
    "struct": _close_struct,
    "name": _close_name,
    "member": _close_member,
    "methodName": _close_method,
    "fault": _close_fault,
    "methodCall": _close_call,
    "methodResponse": _close_response,
}


def read_xmlrpc(view: memoryview, where: Callable[[int], int]) -> Content:
    """The call or response in a body, as far as it has arrived."""
    description = _Description(view, where)
    problem = description.read()
    return Content(tuple(description.open[0].fields), description.outcome, problem)


def _scalar(element: _Element) -> str:
    """A value as Python would write it; as it stands if it is not one of its type."""
    text = element.text.strip()
    if element.tag == "nil":
        return "None"
    if element.tag == "boolean":
        return {"0": "False", "1": "True"}.get(text, repr(text))
    if element.tag in ("string", "value"):
        return repr(_cut(element))
    if element.length <= SHOWN and (write := _WRITTEN.get(element.tag)) is not None:
        with suppress(ValueError):  # also what base64 raises
            return write(text)
    return f"base64 {''.join(_cut(element).split())}" if element.tag == "base64" else _cut(element).strip()


def _date(text: str) -> str:
    return repr(datetime.strptime(text, "%Y%m%dT%H:%M:%S")).removeprefix("datetime.")  # it has no time zone


_WRITTEN: dict[str, Callable[[str], str]] = {
    "base64": lambda text: repr(b64decode("".join(text.split()), validate=True)),
    "double": lambda text: repr(float(text)),
    "dateTime.iso8601": _date,
}
"""Python's way to write values of these types. An int is written as in Python."""


def _cut(element: _Element) -> str:
    return cut_text(element.text, element.length)


def _listed(before: str, values: Iterable[str], after: str) -> str:
    """Values with commas between, as many as can be shown."""
    text = before
    for number, value in enumerate(values):
        text += (", " if number else "") + value
        if len(text) > SHOWN:
            return text[:SHOWN] + "…" + after
    return text + after
