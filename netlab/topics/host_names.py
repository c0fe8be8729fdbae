"""The option of the topics that speak HTTP: further names that their servers answer to.

The names of loopback, and the address where a client found the server, need no option.
"""

from __future__ import annotations

import re

from netlab.topics.contract import Option

_NAME = re.compile(r"[0-9A-Za-z._-]{1,253}|\[?[0-9A-Fa-f:.]+\]?")


def parse_names(text: str) -> tuple[str, ...]:
    """Names and addresses, with commas between; `ValueError` for what is neither."""
    names = tuple(filter(None, map(str.strip, text.split(","))))
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is neither a name nor an address; leave out the port")
    return names


ALLOW_HOST = Option(
    "allow_host",
    (),
    "further names or addresses that the server answers to, such as lab.example; loopback's are always allowed",
    parse_names,
    many=True,
)
