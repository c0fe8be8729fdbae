"""One topic running, headless. ``from netlab.lab import Lab`` is a public promise.

`Lab` is imported only when asked for: the app starts its first children without it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netlab.lab.lab import Lab as Lab


def __getattr__(name: str) -> object:
    if name != "Lab":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from netlab.lab.lab import Lab

    return Lab
