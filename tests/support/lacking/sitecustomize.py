"""Loaded by a child process at its start: takes away the modules and attributes that ``TEST_LACKS`` names."""

import importlib
import os
import sys

names = os.environ["TEST_LACKS"].split()
for name in names:
    module, _, attribute = name.partition(".")
    if attribute and hasattr(importlib.import_module(module), attribute):
        delattr(sys.modules[module], attribute)

# The standard library's own parts for this system may use the modules: these are loaded before they go.
import asyncio  # noqa: E402, F401
import pathlib  # noqa: E402, F401
import subprocess  # noqa: E402, F401

for name in names:
    if "." not in name:
        sys.modules[name] = None  # type: ignore[assignment]  # what Python takes for a module that cannot be had
