"""The third page of the views pane: the tutorial's listing about slices, run line by line on this client's own objects.

Each line is one of the console's. Beside it stands what became of it, and what its object holds now, with its address:
so a write to each slice shows which of them are copies. Pure: it makes text of facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from netlab.dissect.text import safe
from netlab.lab.views.coverage import Coverage, cover
from netlab.lab.views.view_facts import BufferFacts, Group
from netlab.ui.views.maps import Lends, values_of
from netlab.ui.views.rows import ViewRow


@dataclass(frozen=True, slots=True)
class ListingLine:
    """A line of the listing: the name that it makes (``makes``) or writes to, or what it does to no name."""

    line: str
    name: str = ""
    makes: bool = False
    remark: str = ""


STEPS = (
    ListingLine("a = bytearray(b'aaaaaa')", "a", makes=True),
    ListingLine("d = bytes(a)", "d", makes=True),
    ListingLine("m = memoryview(a)", "m", makes=True),
    ListingLine("ds = d[:2]", "ds", makes=True),
    ListingLine("c = a[:2]", "c", makes=True),
    ListingLine("mb = m[:2]", "mb", makes=True),
    ListingLine("ds[:2] = b'dd'", remark="TypeError: bytes never change"),
    ListingLine("c[:2] = b'cc'", "c"),
    ListingLine("mb[:2] = b'bb'", "mb"),
    ListingLine("struct.unpack('!BI', a[:5])", remark="copies 5 bytes, then reads those"),
    ListingLine("struct.unpack_from('!BI', m)", remark="copies none: reads where they lie"),
)
"""The tutorial's lines in today's Python: a slice of bytes, of a bytearray and of a memoryview, and a write to each."""

NAMES = frozenset(step.name for step in STEPS if step.name)


@dataclass(frozen=True, slots=True)
class Held:
    """What a name holds now."""

    address: int | None
    nbytes: int
    values: str


def held(groups: Iterable[Group], lends: Lends, width: int) -> dict[str, Held]:
    """What each name of the listing holds, as far as it is there."""
    found: dict[str, Held] = {}
    for group in groups:
        if group.buffer is None or not _names(group) & NAMES:
            continue
        with lends(group.buffer.key) as lent:
            if lent is not None:
                found.update(_held_in(group, group.buffer, lent, width))
    return found


def _names(group: Group) -> set[str]:
    named = group.buffer.names if group.buffer is not None else ()
    return {*named, *(name for view in group.views for name in (view.name, *view.also))}


def _held_in(group: Group, buffer: BufferFacts, lent: memoryview, width: int) -> Iterator[tuple[str, Held]]:
    whole = Coverage(0, (buffer.nbytes,), (1,), 1, "B")
    yield from ((name, Held(buffer.address, buffer.nbytes, values_of(whole, lent, width))) for name in buffer.names)
    for view in group.views:
        covered = cover(view)
        text = values_of(covered, lent, width) if covered is not None else "released"
        yield from ((name, Held(view.address, view.nbytes, text)) for name in (view.name, *view.also))


def listing_rows(objects: Mapping[str, Held], done: int, width: int, hint: str) -> list[ViewRow]:
    """The page: each line, and beside those that were run what their objects hold now."""
    code = max(len(step.line) for step in STEPS) + 4
    rows = [ViewRow(f"  {'slices side by side':{code}}  {'address':14}  copied  now", "heading")]
    for number, step in enumerate(STEPS):
        mark = "▸" if number == done else " "
        now = f"  {_now(step, objects)}" if number < done else ""
        rows.append(ViewRow(f"{mark} {f'>>> {step.line}':{code}}{now}"[:width], "view" if number < done else "note"))
    foot = ", ".join(filter(None, (_LEGEND, hint))) if done == len(STEPS) else hint
    return [*rows, ViewRow(f"  {foot}"[:width], "heading")]


_LEGEND = "= a: these are the bytes of a, at the address of a"


def _now(step: ListingLine, objects: Mapping[str, Held]) -> str:
    """What a line has done, as far as its names still stand for that."""
    made, base = objects.get(step.name), objects.get("a")
    if step.remark:
        return step.remark
    if made is None or base is None:
        return "gone"
    if not step.makes:
        return safe(f"{step.name} is {made.values}, a is {base.values}")
    shares = made.address == base.address
    copied = 0 if shares else made.nbytes
    address = f"{made.address:#x}" if made.address is not None else "–"
    count, same = ("", "") if made is base else (str(copied), " = a" if shares else "")
    return f"{address:14}  {count:>6}  {safe(made.values)}{same}"
