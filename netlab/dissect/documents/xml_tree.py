"""XML as a tree of elements, bounded. expat reads it and resolves nothing: no entity grows, no file is opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from netlab.dissect.documents.document import SHOWN, Content, cut_text
from netlab.dissect.fields import Field

MOST_READ = 1 << 17
"""Bytes of XML that are read."""
MOST_ELEMENTS = 1000
MOST_ATTRIBUTES = 20
"""Attributes of an element that are listed."""
DEEPEST = 50
"""Elements within elements; what lies deeper is not read."""
_ATTRIBUTE = re.compile(rb"\s+[^\s=<>\"'/]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*')")
_LONGEST_TAG = 2048
_DOCTYPE = re.compile(rb"<!DOCTYPE\s")
_ENTITY = re.compile(rb"<!ENTITY\s")
_ENTITIES = "XML that declares entities is not read: they could grow without end"


def read_xml_tree(view: memoryview, where: Callable[[int], int]) -> Content:
    """The elements in a body, as far as it has arrived."""
    tree = _Tree(view[:MOST_READ], where)
    problem = tree.read()
    cut = f"only the first {MOST_READ} bytes of XML are read" if len(view) > MOST_READ else ""
    return Content(tuple(tree.open[0].children), "", tree.stopped or cut or problem)


def declared_entity(view: memoryview) -> int | None:
    """Where the first entity is declared; None if none is. Where the encoding is not like ASCII, expat finds it."""
    doctype = _DOCTYPE.search(view)
    match = _ENTITY.search(view, doctype.end()) if doctype is not None else None
    return match.start() if match is not None else None


@dataclass(slots=True)
class _Open:
    """An element that is open: its text so far, and what was found in it."""

    tag: str
    start: int
    children: list[Field] = field(default_factory=list)
    text: str = ""
    length: int = 0
    text_start: int = -1
    elements: int = 0


class _Stop(Exception):
    """Reading ends here. expat itself goes on to the end of the bytes, but calls nobody any more."""


class _Tree:
    """Turns what expat sees into fields."""

    def __init__(self, view: memoryview, where: Callable[[int], int]) -> None:
        self.view, self.where = view, where
        self.parser = expat.ParserCreate()
        self.parser.ordered_attributes = True
        self.parser.specified_attributes = True  # not those that a DTD adds to each element
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.SkippedEntityHandler = self._skipped
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._entity
        self.open = [_Open("", 0)]
        self.elements = 0
        self.stopped, self.stopped_at = "", 0

    def read(self) -> str:
        """Read the XML; return why it is not well-formed, or nothing."""
        problem, at = "", len(self.view)
        try:
            declared = declared_entity(self.view)
            self.parser.Parse(self.view[:declared], declared is None)
            if declared is not None:
                self._stop(_ENTITIES, declared)
        except _Stop:
            at = self.stopped_at
        except (expat.ExpatError, LookupError, ValueError) as error:  # not XML, or in an unknown encoding
            problem = f"the body is not well-formed XML: {error}"
            at = self.parser.ErrorByteIndex if isinstance(error, expat.ExpatError) else 0
        at = min(max(at, 0), len(self.view))
        while len(self.open) > 1:
            self._close(max(at, self.open[-1].start))
        if (problem or self.stopped) and at < len(self.view):
            name, why = ("not read", self.stopped) if self.stopped else ("malformed", problem.partition(": ")[2])
            self.open[0].children.append(self._span(name, at, len(self.view), "bytes", why))
        return problem

    def _span(self, name: str, start: int, end: int, kind: str, value: str, children: tuple[Field, ...] = ()) -> Field:
        begin = self.where(start)
        return Field(name, begin, max(self.where(max(end - 1, 0)) + 1, begin), kind, value, children)

    def _stop(self, why: str, at: int | None = None) -> None:
        self.stopped, self.stopped_at = why, self.parser.CurrentByteIndex if at is None else at
        raise _Stop

    # What expat sees

    def _doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        value = " ".join(part[:SHOWN] for part in (name, public, system) if part)
        if (match := _DOCTYPE.search(self.view)) is not None:  # where expat stands depends on what the DTD holds
            self.open[-1].children.append(self._span("DOCTYPE", match.start(), match.end(), "text", value))

    def _entity(self, *declared: object) -> None:
        self._stop(_ENTITIES)

    def _start(self, tag: str, attributes: list[str]) -> None:
        self._flush()
        if len(self.open) > DEEPEST:
            self._stop(f"the XML is nested more than {DEEPEST} elements deep")
        if self.elements >= MOST_ELEMENTS:
            self._stop(f"only the first {MOST_ELEMENTS} elements are read")
        self.elements += 1
        self.open[-1].elements += 1
        element = _Open(tag, self.parser.CurrentByteIndex)
        if attributes:
            element.children += self._attributes(element, attributes)
        self.open.append(element)

    def _attributes(self, element: _Open, attributes: list[str]) -> list[Field]:
        raw = bytes(self.view[element.start : element.start + _LONGEST_TAG])
        at, found = 1 + len(element.tag.encode()), list[Field]()
        for name, value in list(zip(attributes[::2], attributes[1::2], strict=True))[:MOST_ATTRIBUTES]:
            start = stop = at
            if (match := _ATTRIBUTE.match(raw, at)) is not None:
                at = stop = match.end()
                start += len(match[0]) - len(match[0].lstrip())
            start, stop = (min(element.start + each, len(self.view)) for each in (start, stop))
            found.append(self._span(name[:SHOWN], start, stop, "attribute", cut_text(value, len(value))))
        return found

    def _text(self, text: str) -> None:
        element = self.open[-1]
        if element.text_start < 0:
            element.text_start = self.parser.CurrentByteIndex
        if element.length <= SHOWN:
            element.text = (element.text + text)[: SHOWN + 1]
        element.length += len(text)

    def _skipped(self, name: str, parameter: bool) -> None:
        """A reference to an entity that may be declared elsewhere stays as it is written."""
        if not parameter:
            self._text(f"&{name[:SHOWN]};")

    def _flush(self) -> None:
        """Text that stands between elements becomes a field, unless it is only space."""
        element = self.open[-1]
        if element.text.strip():
            end = self.parser.CurrentByteIndex
            value = cut_text(element.text.strip(), element.length)
            element.children.append(self._span("text", element.text_start, end, "text", value))
        element.text, element.length, element.text_start = "", 0, -1

    def _end(self, tag: str) -> None:
        at = self.parser.CurrentByteIndex
        closing = bytes(self.view[at : at + 4 * len(tag) + 64])
        self._close(at + closing.find(b">") + 1 if closing.startswith(b"</") else at)

    def _close(self, end: int) -> None:
        """An element has ended: its value is its text, or how many elements it has."""
        element = self.open[-1]
        if element.elements:
            self._flush()
            value = f"{element.elements} element{'s' if element.elements > 1 else ''}"
        else:
            value = cut_text(element.text.strip(), element.length)
        self.open.pop()
        children = tuple(element.children)
        self.open[-1].children.append(self._span(element.tag[:SHOWN], element.start, end, "element", value, children))
