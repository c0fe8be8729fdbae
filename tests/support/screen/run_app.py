"""The app as `netlab` starts it, but on a free port, so that tests run in parallel. Run with ``python -m``."""

from __future__ import annotations

import dataclasses
import os
import sys
from importlib import import_module
from typing import NoReturn

from netlab.topics import discovery
from netlab.topics.contract import Topic

_named = discovery.topic_named
_on_free_ports = False


def _topic_named(name: str) -> Topic:
    return dataclasses.replace(_named(name), port=0) if _on_free_ports else _named(name)


def _crash(*arguments: object, **more: object) -> NoReturn:
    raise RuntimeError("a crash on purpose")


discovery.topic_named = _topic_named


def main() -> int:
    """Run the app; it crashes on purpose where the environment says: in a module, class and method."""
    global _on_free_ports
    _on_free_ports = True
    from netlab.commands import app

    if where := os.environ.get("NETLAB_TEST_CRASH"):
        module, owner, method = where.split(":")
        setattr(getattr(import_module(module), owner), method, _crash)
    return app.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
