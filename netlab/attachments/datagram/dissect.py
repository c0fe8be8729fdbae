"""What a datagram of any protocol carries: lines of text, or plain bytes."""

from __future__ import annotations

from netlab.topics.tcp.dissect import dissect

__all__ = ["dissect"]
