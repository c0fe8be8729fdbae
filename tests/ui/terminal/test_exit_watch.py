"""The process ends with the first status that counts, and nothing comes between the last resort and the end."""

from __future__ import annotations

import subprocess
import sys

from tests.support.waiting import PATIENCE

IN_A_PROCESS = """
import os, threading
from netlab.ui.terminal import exit_watch

exit_watch.SECONDS = 0.0
watch = exit_watch.ExitWatch()
at_last = threading.Event()
watch.last_resort = [at_last.set, lambda: threading.Event().wait(0.2)]
watch.begin()
watch.leaving(7)
"""


def status_of(then: str) -> int:
    with subprocess.Popen([sys.executable, "-c", IN_A_PROCESS + then], stdin=subprocess.PIPE) as process:
        try:
            return process.wait(PATIENCE)
        finally:
            process.kill()


def test_the_first_status_is_the_one_that_counts() -> None:
    assert status_of("watch.leaving(1)\nthreading.Event().wait()") == 7


def test_a_screen_that_leaves_during_the_last_resort_does_not_cut_it_short() -> None:
    assert status_of("at_last.wait()\nwatch.leaving(1)\nos._exit(1)") == 7
