"""A load on a lab's server: through its wire, or straight to the server."""

from __future__ import annotations

from collections.abc import Callable

from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.lab.state import LabState
from netlab.load.load_run import LoadRun
from netlab.load.plan import LoadPlan
from netlab.load.points import GaugeValues, Point

_NOT_FOR_A_LOAD = frozenset({"keylog", "timeout"})
"""A file cannot be written by so many; the plan has a timeout of its own."""


def load_on(
    lab: Lab, plan: LoadPlan, on_point: Callable[[Point], None] = lambda point: None, *, direct: bool = False
) -> LoadRun:
    """A load on the lab's server, through the wire unless ``direct``. Raises `LabError` if the lab does not serve."""
    state = lab.state
    address = state.server_address if direct else lab.address
    if address is None:
        raise LabError("the server's address is not known", ":start starts it")
    made = lab.target(address)
    keywords = {name: value for name, value in made.keywords.items() if name not in _NOT_FOR_A_LOAD}
    return LoadRun(
        plan, address, model=state.model, keywords=keywords, on_point=on_point, gauges=lambda: gauges_of(lab.state)
    )


def gauges_of(state: LabState) -> GaugeValues:
    """What a lab's state knows of its server."""
    return GaugeValues(state.queue, None, state.threads, state.processes)
