"""The processor, left to others: what a child process of the app does so that the screen stays quick.

Standard library only; it knows nothing of netlab, and whatever runs as a process of its own may use it.
"""

from __future__ import annotations

import contextlib
import os
import sys

ENVIRONMENT = "NETLAB_PRIORITY"
"""Set to ``normal``, it keeps the children's priority: for machines on which other programs leave no processor idle."""


def yield_processor() -> None:
    """Run only when no other process wants to: SCHED_IDLE if the system has it, else nice 19."""
    if os.environ.get(ENVIRONMENT) == "normal":
        return
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            return
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.nice(19)
