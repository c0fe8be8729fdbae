"""The console's commands for the wire: its faults, and the segments that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.wire.impairment import catalog, own_fault
from netlab.wire.impairment.spec import GRAMMAR, NONE

if TYPE_CHECKING:
    from netlab.lab.lab import Lab


def fault(lab: Lab, rest: str) -> str:
    """``:fault SPEC`` adds a fault; ``:fault`` lists the kinds; ``:fault none`` removes all faults."""
    if not rest:
        return kinds(lab)
    if rest == NONE:
        return clear(lab, "")
    lab.wire.fault(rest)
    return active(lab, "")


def active(lab: Lab, rest: str) -> str:
    """List the active faults, in their order."""
    return f"active: {' · '.join(lab.wire.faults) or NONE}"


def clear(lab: Lab, rest: str) -> str:
    """Remove all faults."""
    lab.wire.clear()
    return active(lab, rest)


def down(lab: Lab, rest: str) -> str:
    """Refuse clients and reset flows."""
    lab.wire.down()
    return "the wire is down: clients are refused; :up takes them again"


def up(lab: Lab, rest: str) -> str:
    """Take clients again."""
    lab.wire.up()
    return f"clients connect to {lab.address}"


def kinds(lab: Lab) -> str:
    """A line for each kind of fault on this transport, then how to narrow one down, then the active faults."""
    rows = [(f":fault {kind.name} {kind.usage}".rstrip(), kind) for kind in lab.wire.kinds]
    lines = [f"{usage}: {kind.help}, as in {kind.name} {kind.example}" for usage, kind in rows]
    lines.append(f":fault {own_fault.OWN.usage}: {own_fault.OWN.help}, as in ./shout.py 300")
    return "\n".join([*lines, *map(safe, catalog.problems()), f"{GRAMMAR}; :clear-faults removes all", active(lab, "")])


def intercept(lab: Lab, rest: str) -> str:
    """``:intercept FILTER`` holds matching segments; ``:intercept`` stops holding."""
    lab.wire.intercept(rest)
    return f"holding segments that match {safe(rest)}" if rest else "holding no more segments"


def release(lab: Lab, rest: str) -> None:
    """``:release N`` releases one held segment; ``:release`` releases all."""
    if rest and not (rest.isascii() and rest.isdigit() and len(rest) < 10):
        raise LabError(f"{safe(rest)[:40]} is not the number of a held segment", ":release alone releases all")
    lab.wire.release(int(rest) if rest else None)
