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


def _on_a_free_port(name: str) -> Topic:
    return dataclasses.replace(_named(name), port=0)


def _crash(*arguments: object, **more: object) -> NoReturn:
    raise RuntimeError("a crash on purpose")


discovery.topic_named = _on_a_free_port

if __name__ == "__main__":
    from netlab.commands.app import main

    if where := os.environ.get("NETLAB_TEST_CRASH"):  # the module, class and method that crashes
        module, owner, method = where.split(":")
        setattr(getattr(import_module(module), owner), method, _crash)

    sys.exit(main(sys.argv[1:]))
