"""One topic running, headless. ``from netlab.lab import Lab`` is promised to people.

It is imported when it is asked for: the app starts its first children with less.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netlab.lab.lab import Lab as Lab


def __getattr__(name: str) -> object:
    if name != "Lab":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from netlab.lab.lab import Lab

    return Lab
