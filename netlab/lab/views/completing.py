"""Completes and explains lines about buffers and views while they are typed. It knows no widget."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from netlab.lab.errors import LabError
from netlab.lab.views.performing import ATTRIBUTES, METHODS
from netlab.lab.views.reading_lines import FUNCTIONS, OWN, Known, read_line
from netlab.lab.views.view_table import ViewTable

_ROOT = r"(?P<root>[A-Za-z_]\w*(?:\.(?:buffer|owner))?)"
_PART = re.compile(rf"(?:.*[^\w.])?{_ROOT}(?:\[[^\[\]]*\])*\.(?P<part>\w*)", re.DOTALL)
_NAME = re.compile(r"(?P<before>(?:.*[^\w.\]])?)(?P<name>[A-Za-z_]\w*)", re.DOTALL)
_VALUE_FOLLOWS = re.compile(r"[=(\[,:]\s*$")
HELP: Mapping[str, str] = {
    "cast": "cast(format, shape) · the same bytes as elements of another format, or in several dimensions; no copy",
    "tolist": "tolist() · each element as an object",
    "hex": "hex(sep) · the bytes as text",
    "tobytes": "tobytes() · a copy of the bytes",
    "toreadonly": "toreadonly() · a view of the same bytes through which nothing can be written",
    "release": "release() · lets go of the buffer; when no export is left, it can be resized",
    "extend": "extend(values) · makes the buffer longer; refused while views of it exist",
    "append": "append(value) · makes the buffer longer by one; refused while views of it exist",
    "view": "view(start, stop) · a slice of the client's own view",
    "bytearray": "bytearray(size or values) · a buffer of your own",
    "array": "array(format, values) · a buffer of numbers, such as array('H', [1, 2])",
    "memoryview": "memoryview(buffer) · a view of a buffer",
    "segment": "segment(number) · a read-only view of a segment's payload in the mapped capture",
    "len": "len(view) · how many elements it has",
    "bytes": "bytes(view) · a copy of its bytes",
    "struct.unpack_from": "struct.unpack_from(format, view, offset) · numbers, read where they lie",
    "struct.unpack": "struct.unpack(format, view) · numbers",
}
"""What a line may call of a buffer or a view, and the functions: usage · what it does."""
_NO_ARGUMENT = frozenset({"tolist", "tobytes", "toreadonly", "release"})


class ViewCompletion:
    """Completes with the names of one client."""

    def __init__(self, views: ViewTable) -> None:
        self._views = views

    def candidates(self, line: str) -> list[str]:
        """All completions of the line."""
        if (match := _PART.fullmatch(line)) is not None:
            head = line[: len(line) - len(match["part"])]
            found = [head + each for each in self._parts(match["root"]) if each.startswith(match["part"])]
        elif (match := _NAME.fullmatch(line)) is not None:
            found = [match["before"] + each for each in self._roots(match["before"]) if each.startswith(match["name"])]
        else:
            return []
        return [each for each in found if each != line]

    def _roots(self, before: str) -> Iterator[str]:
        """What may stand at the beginning of an expression."""
        yield from self._views.names
        if _VALUE_FOLLOWS.search(before):
            yield from (f"{name}(" for name in FUNCTIONS)
            if self._views.own_view is not None:
                yield from (f"{self._views.variable}.{attribute}" for attribute in OWN)

    def _parts(self, root: str) -> Iterator[str]:
        """What may follow the dot after a root."""
        if root == self._views.variable and self._views.own_view is not None:
            yield from OWN
        kind = self._kind(root)
        yield from (f"{name}()" if name in _NO_ARGUMENT else f"{name}(" for name in METHODS.get(kind, ()))
        yield from ATTRIBUTES.get(kind, ())

    def _kind(self, root: str) -> type:
        if root.startswith(f"{self._views.variable}."):
            return type(self._views.own_view if root.endswith(OWN[0]) else self._views.own_buffer)
        return type(self._views.names.get(root))

    def explain(self, line: str, operations: Collection[str]) -> str | None:
        """A sentence on the line; None if it is about something else."""
        try:
            ours = read_line(line, Known(self._views.names, self._views.variable, operations)) is not None
        except LabError:
            ours = True
        if not ours:
            return None
        typed = re.findall(r"(struct\.\w+|\w+)\(", "".join([line, *self.candidates(line)[:1]]))
        return next((HELP[name] for name in reversed(typed) if name in HELP), "runs here; nothing is sent")
