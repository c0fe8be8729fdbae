"""netlab: a network lab in the terminal. From Python: ``from netlab import Wire, AsyncWire, WireError``.

This module holds the version and those names, which are imported only when asked for: commands start without them.
"""

from importlib import import_module

TYPE_CHECKING = False  # a type checker takes it for that of `typing`, which is slow to import
if TYPE_CHECKING:
    from netlab.api.async_wire import AsyncWire
    from netlab.api.public_wire import Wire
    from netlab.api.wire_errors import WireError, WireTimeout

__version__ = "0.1.0"
__all__ = ["AsyncWire", "Wire", "WireError", "WireTimeout", "__version__"]

_PLACES = {
    "AsyncWire": "netlab.api.async_wire",
    "Wire": "netlab.api.public_wire",
    "WireError": "netlab.api.wire_errors",
    "WireTimeout": "netlab.api.wire_errors",
}

if not TYPE_CHECKING:  # a type checker would take any name for one that exists

    def __getattr__(name: str) -> object:
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_PLACES[name]), name)
