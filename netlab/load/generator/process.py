"""The generator's process: it gets a plan, reports a point ten times a second, and the result at the end.

It ends at once when its standard input closes, and early, with the result so far, when a line comes there.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from contextlib import suppress
from typing import Final

from netlab.capture.model import Endpoint
from netlab.load.generator.clock import wake_exactly
from netlab.load.generator.pace import Pace
from netlab.load.generator.reports import asked_to_end, report
from netlab.load.plan import PlainBytes, plan_of
from netlab.load.points import Point

ENVIRONMENT: Final = "NETLAB_LOAD"
"""What to do, as JSON: ``plan``, ``host``, ``port``, ``keywords``. Other users cannot read an environment."""


def run() -> int:
    """Do what the environment says; returns the exit status."""
    task = json.loads(os.environ.pop(ENVIRONMENT))
    plan, address = plan_of(task["plan"]), Endpoint(task["host"], task["port"])
    _more_descriptors()
    wake_exactly()
    try:
        pace = Pace(plan, _report_point, asked_to_end)
        if isinstance(plan.operation, PlainBytes):
            from netlab.load.generator.exchange_driver import ExchangeDriver

            drive = ExchangeDriver(pace, plan.operation, address).run
        else:
            from netlab.load.generator.calls_driver import CallsDriver
            from netlab.load.keywords import keywords_of

            drive = CallsDriver(pace, plan.operation, address, keywords_of(task["keywords"])).run
        gc.collect()
        gc.freeze()
        gc.disable()  # a collection would keep every client waiting
        began, used = time.perf_counter(), time.process_time()
        drive()
        busy = (time.process_time() - used) / max(time.perf_counter() - began, 1e-9)
        seconds = pace.end
        report("result", {**pace.counts.summary(), "seconds": seconds, "busy": busy, "complete": not pace.stopped})
    except (EOFError, BrokenPipeError):
        return 1
    return 0


def _report_point(point: Point) -> None:
    report("point", {"point": point})


def _more_descriptors() -> None:
    """Use as many as the system lets a process have."""
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
