"""Starts ``netlab inspect``: what Textual reads from the environment is set before Textual is imported."""

from __future__ import annotations

import os
from collections.abc import Sequence

from netlab.commands.app import FRAMES
from netlab.ui.terminal.exit_watch import WATCH


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``netlab inspect`` with its arguments; the exit status."""
    WATCH.begin()
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)
    from netlab.ui import capture_app

    return capture_app.main(argv)
