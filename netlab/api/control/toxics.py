"""Toxiproxy's toxics, and the faults that do the same. Pure: values in, fault specs out.

Where netlab cannot do the same, a toxic is refused with the reason; docs/testing.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from netlab.api.control.control_refused import ControlRefused
from netlab.wire.impairment.quantities import LONGEST

Numbers = Mapping[str, float]
_MILLISECONDS = LONGEST * 1000
_MOST_BYTES = float(1 << 40)
ARROWS = {"upstream": "->", "downstream": "<-"}


@dataclass(frozen=True, slots=True)
class ToxicKind:
    """One type of toxic: its attributes with the largest value of each, and what makes fault specs of them."""

    attributes: Numbers
    faults: Callable[[Numbers], tuple[str, ...]]


def _latency(given: Numbers) -> tuple[str, ...]:
    return (f"delay {given['latency']:g}ms" + (f"±{given['jitter']:g}ms" if given["jitter"] else ""),)


def _slicer(given: Numbers) -> tuple[str, ...]:
    for name in ("size_variation", "delay"):
        if given[name]:
            raise ControlRefused(400, f"netlab's slices are of one size, 1 ms apart: {name} must be 0")
    return (f"slice {int(given['average_size'])}",) if given["average_size"] >= 1 else ()


def _ends(ending: str) -> Callable[[Numbers], tuple[str, ...]]:
    """Nothing passes for the time of ``timeout``, then the flow ends so."""
    return lambda given: (f"stall {given['timeout']:g}ms", ending)


KINDS: Mapping[str, ToxicKind] = {
    "bandwidth": ToxicKind(
        {"rate": _MOST_BYTES / 1000}, lambda given: (f"throttle {given['rate']:g}KB/s",) if given["rate"] else ()
    ),
    "latency": ToxicKind({"latency": _MILLISECONDS, "jitter": _MILLISECONDS}, _latency),
    "limit_data": ToxicKind({"bytes": _MOST_BYTES}, lambda given: (f"cut after {int(given['bytes'])}",)),
    "noop": ToxicKind({}, lambda given: ()),
    "reset_peer": ToxicKind(
        {"timeout": _MILLISECONDS}, lambda given: _ends("reset")(given) if given["timeout"] else ("reset",)
    ),
    "slicer": ToxicKind({"average_size": _MOST_BYTES, "size_variation": _MOST_BYTES, "delay": _MOST_BYTES}, _slicer),
    "slow_close": ToxicKind({"delay": _MILLISECONDS}, lambda given: (f"slow_close {given['delay']:g}ms",)),
    "timeout": ToxicKind(
        {"timeout": _MILLISECONDS}, lambda given: _ends("cut")(given) if given["timeout"] else ("stall",)
    ),
}


@dataclass(frozen=True, slots=True)
class Toxic:
    """One toxic of a proxy, as the API has it."""

    name: str
    type: str
    stream: str
    toxicity: float
    attributes: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.type not in KINDS:
            raise ControlRefused(400, f"invalid toxic type: there are {', '.join(KINDS)}")
        if self.stream not in ARROWS:
            raise ControlRefused(400, "stream was invalid, can be either upstream or downstream")

    @property
    def faults(self) -> tuple[str, ...]:
        """The fault specs that do what it does."""
        kind = KINDS[self.type]
        specs = kind.faults({name: self.attributes.get(name, 0) for name in kind.attributes})
        share = "" if self.toxicity == 1 else f" {self.toxicity * 100:g}% flows"
        return tuple(f"{spec}{share} {ARROWS[self.stream]}" for spec in specs) if self.toxicity else ()

    def as_json(self) -> dict[str, object]:
        """What the API answers."""
        return {
            "attributes": dict(self.attributes),
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": self.toxicity,
        }


def toxic_of(body: Mapping[str, object], before: Toxic | None = None) -> Toxic:
    """A toxic as a client asks for it; ``before`` is the one that it changes. Raises `ControlRefused`."""
    if before is not None:
        kind, stream, name, toxicity = before.type, before.stream, before.name, before.toxicity
    else:
        kind = _text(body, "type")
        stream = (_text(body, "stream") or "downstream").lower()
        name, toxicity = _text(body, "name") or f"{kind}_{stream}", 1.0
    toxicity = _number(body, "toxicity", 1, toxicity)
    given = body.get("attributes")
    if given is not None and not isinstance(given, dict):
        raise ControlRefused(400, "attributes is an object")
    known = KINDS[kind].attributes if kind in KINDS else {}
    for unknown in (given or {}).keys() - known.keys():
        raise ControlRefused(400, f"{kind} has no attribute {unknown[:40]!r}; it has {', '.join(known) or 'none'}")
    attributes = {each: before.attributes[each] if before is not None else 0 for each in known}
    attributes |= {each: _number(given or {}, each, most, attributes[each]) for each, most in known.items()}
    toxic = Toxic(name, kind, stream, toxicity, attributes)
    _ = toxic.faults  # refused now, if ever
    return toxic


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ControlRefused(400, f"{name} is a text")
    return value or ""


def _number(body: Mapping[str, object], name: str, most: float, otherwise: float) -> float:
    value = body.get(name)
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ControlRefused(400, f"{name} is a number from 0 to {most:g}")
    return value
