"""What goes through an echo: lines of text, or bytes."""

from netlab.dissect.lines import dissect

__all__ = ["dissect"]
