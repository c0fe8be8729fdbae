"""Starts ``netlab inspect``: what Textual reads from the environment is set before Textual is imported."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from netlab.capture.frames.links import understood_links
from netlab.commands.app import FRAMES
from netlab.ui.terminal.exit_watch import WATCH


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``netlab inspect`` with its arguments; return the exit status."""
    WATCH.begin()
    arguments = build_parser().parse_args(argv)
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)
    from netlab.ui import capture_app

    return capture_app.show(arguments.file)


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``netlab inspect``."""
    parser = argparse.ArgumentParser(prog="netlab inspect", description="Look into a pcapng or pcap file, read-only.")
    parser.epilog = f"Link types that it understands: {understood_links()}."
    parser.add_argument("file", type=Path, metavar="FILE", help="a capture that netlab, Wireshark or tcpdump saved")
    return parser
