"""Sizes as people write them: ``64 MiB``, ``1.5GB``, ``4096``."""

import re

_UNITS = {"": 1, "b": 1} | {
    prefix + suffix: base**power
    for power, prefix in enumerate("kmgt", 1)
    for suffix, base in (("", 1024), ("b", 1000), ("ib", 1024))
}


def parse_size(text: str) -> int:
    """A number of bytes; `ValueError` says what to write."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"{text!r} is not a size; write 4096, 64 KiB or 1.5 GiB")
    return int(float(found[1]) * _UNITS[found[2]])
