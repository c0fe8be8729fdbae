"""The wire of a lab, as ``lab.wire``: its faults. It checks what is asked for, and lets the wire's process do it."""

from __future__ import annotations

from netlab.capture.model import Transport
from netlab.dissect.text import safe
from netlab.lab.problems import LabError
from netlab.lab.serving import Serving
from netlab.wire.faults import catalog
from netlab.wire.faults.contract import FaultKind

MOST_FAULTS = 16
LONGEST_SPEC = 100


class Wiring:
    """What can be done to the wire while traffic flows. Methods raise `LabError` and may be called from any thread.

    ``seed`` makes the faults' chances repeat: with the same one, the same segments of a flow meet the same fate.
    """

    def __init__(self, serving: Serving, transport: Transport) -> None:
        self._serving, self._transport = serving, transport
        self.seed = 1

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that are active, each as it can be asked for again."""
        return self._serving.state.faults

    @property
    def kinds(self) -> tuple[FaultKind, ...]:
        """The kinds of fault that there are on this transport."""
        return catalog.kinds(self._transport)

    def fault(self, *specs: str, seed: int | None = None) -> tuple[str, ...]:
        """Add faults, as in ``fault("slice 1", "delay 20ms ->")``; those that are active now, in the order they act.

        Held bytes leave, and counts and chances begin anew, whenever the faults change.
        """
        if seed is not None:
            self.seed = seed
        return self._set((*self.faults, *map(self._checked, specs)))

    def remove(self, index: int) -> tuple[str, ...]:
        """Take away one of `faults`, counted from 0; those that are left."""
        left = list(self.faults)
        if not 0 <= index < len(left):
            raise LabError(f"there is no fault number {index + 1}", f"{len(left)} are active")
        del left[index]
        return self._set(tuple(left))

    def clear(self) -> None:
        """Let the wire carry everything unchanged again; what faults hold leaves at once."""
        self._set(())

    def _set(self, specs: tuple[str, ...]) -> tuple[str, ...]:
        if len(specs) > MOST_FAULTS:
            raise LabError(f"{MOST_FAULTS} faults are the most that one wire has", ":clear-faults begins anew")
        return self._serving.set_faults(specs, self.seed)

    def _checked(self, spec: str) -> str:
        if len(spec) > LONGEST_SPEC:
            raise LabError(f"no fault is longer than {LONGEST_SPEC} characters", ":fault lists what there is")
        try:
            catalog.parse(spec, self._transport)
        except ValueError as error:
            raise LabError(safe(str(error)), ":fault lists what there is") from None
        return spec
