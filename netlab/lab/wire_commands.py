"""What the console says about the wire: the available faults, how to ask for each, what is held by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.wire.impairment import catalog
from netlab.wire.impairment.spec import GRAMMAR, NONE

if TYPE_CHECKING:
    from netlab.lab.lab import Lab


def fault(lab: Lab, rest: str) -> str:
    """``:fault SPEC`` adds a fault; alone it lists them, and ``none`` removes all."""
    if not rest:
        return kinds(lab)
    if rest == NONE:
        return clear(lab, "")
    lab.wire.fault(rest)
    return active(lab, "")


def active(lab: Lab, rest: str) -> str:
    """The faults that act, in their order."""
    return f"active: {' · '.join(lab.wire.faults) or NONE}"


def clear(lab: Lab, rest: str) -> str:
    """Remove all faults."""
    lab.wire.clear()
    return active(lab, rest)


def kinds(lab: Lab) -> str:
    """A line for each kind on this transport, then how to narrow them down, then the active ones."""
    rows = [(f":fault {kind.name} {kind.usage}".rstrip(), kind) for kind in lab.wire.kinds]
    lines = [f"{usage}: {kind.help}, as in {kind.name} {kind.example}" for usage, kind in rows]
    return "\n".join([*lines, *map(safe, catalog.problems()), f"{GRAMMAR}; :clear-faults ends all", active(lab, "")])


def intercept(lab: Lab, rest: str) -> str:
    """``:intercept FILTER`` holds what matches; alone, it stops holding."""
    lab.wire.intercept(rest)
    return f"held from now on: {safe(rest)}" if rest else "nothing is held from now on"


def release(lab: Lab, rest: str) -> None:
    """``:release N`` releases one; alone, all."""
    if rest and not (rest.isascii() and rest.isdigit() and len(rest) < 10):
        raise LabError(f"{safe(rest)[:40]} is not the number of a held segment", ":release alone lets all go on")
    lab.wire.release(int(rest) if rest else None)
