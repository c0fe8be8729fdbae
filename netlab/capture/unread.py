"""What a capture holds, and what of it was not read, as a person says it."""

from __future__ import annotations

from collections import Counter

_REASONS = 4
"""Kinds of unread packets that are named."""


def count_of(number: int, what: str) -> str:
    """``1 segment``, ``1,234 segments``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def not_read(reasons: Counter[str]) -> str:
    """``3 packets not read: 2 ARP, 1 ICMP``; the most frequent kinds if there are many."""
    named = [f"{count:,} {reason}" for reason, count in reasons.most_common(_REASONS)]
    more = [f"{len(reasons) - _REASONS} other kinds"] if len(reasons) > _REASONS else []
    return f"{count_of(reasons.total(), 'packet')} not read: {', '.join(named + more)}"
