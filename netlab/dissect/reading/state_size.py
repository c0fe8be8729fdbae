"""How much memory an object's own attributes take: what a copy of it would cost."""

from __future__ import annotations

import gc
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
"""A copy shares these with the original."""


def state_size(state: object, most: int) -> int:
    """The bytes that an object and all that it refers to take; counting ends once there are more than ``most``."""
    size, seen, waiting = 0, set[int](), [state]
    while waiting and size <= most:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, _SHARED):
            continue
        seen.add(id(each))
        size += sys.getsizeof(each)
        waiting.extend(gc.get_referents(each))
    return size
