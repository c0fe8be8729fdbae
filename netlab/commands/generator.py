"""``netlab generator``: makes the requests of a load. Internal: `netlab.load.load_run` starts it."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run ``netlab generator``; returns the exit status."""
    from netlab.load.generator.process import run

    return run()
