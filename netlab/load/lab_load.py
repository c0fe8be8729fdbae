"""A load on a lab's server: through its wire, or straight to the server; and what the wire itself costs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace

from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.load.load_run import LoadRun
from netlab.load.loopback_only import refuse_elsewhere
from netlab.load.plan import LoadPlan
from netlab.load.points import Point
from netlab.load.server_gauges import lab_gauges

COST_SECONDS = 0.3
"""How long one client asks, straight and through the wire, to know what the wire costs."""
_NOT_FOR_A_LOAD = frozenset({"keylog", "timeout"})
"""A file cannot be written by so many; the plan has a timeout of its own."""


def load_on(
    lab: Lab,
    plan: LoadPlan,
    on_point: Callable[[Point], None] = lambda point: None,
    *,
    direct: bool = False,
    anywhere: bool = False,
) -> LoadRun:
    """A load on the lab's server, through the wire unless ``direct``; the capture leaves its flows out.

    Raises `LabError` if the lab does not serve, or if its server is on another machine and ``anywhere`` is False.
    """
    state = lab.state
    if state.server_address is None:
        raise LabError("nothing serves", ":start starts it")
    if not anywhere:
        refuse_elsewhere(state.server_address)
    address = state.server_address if direct else lab.address
    keywords = {name: value for name, value in lab.target(address).keywords.items() if name not in _NOT_FOR_A_LOAD}
    return LoadRun(
        plan,
        address,
        model=state.model,
        keywords=keywords,
        on_point=on_point,
        gauges=lab_gauges(lab),
        around=nullcontext if direct else lab.wire.leaving_out_new_flows,
        yield_cpu=lab.yields_cpu,
    )


@dataclass(frozen=True, slots=True)
class WireCost:
    """The median latency, in seconds, of one client and no load: straight to the server, and through the wire."""

    straight: float
    through: float

    @property
    def added(self) -> float:
        """What the wire adds."""
        return max(0.0, self.through - self.straight)


def wire_cost(lab: Lab, plan: LoadPlan, *, anywhere: bool = False) -> WireCost | None:
    """What the wire costs while it has nothing else to do; takes about a second.

    None if that cannot be known: faults act, or a request fails. Raises `LabError` as `load_on` does.
    """
    if lab.wire.faults:
        return None
    alone = replace(plan, clients=1, closed=True, rate=0.0, seconds=COST_SECONDS, ramp=0.0)
    straight, through = (
        load_on(lab, alone, direct=direct, anywhere=anywhere).run().latency.p50 for direct in (True, False)
    )
    return None if straight is None or through is None else WireCost(straight, through)
