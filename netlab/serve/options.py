"""A topic's options on a command line: their flags, the files and environment variables of secrets, their values.

Knows arguments and values, no server and no client. A secret's value appears in no message.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from netlab.topics.contract import Option

if TYPE_CHECKING:  # the app starts its first children without it
    import argparse

LONGEST_SECRET = 4096
"""Characters of a secret from a file; a part of a longer line would be a different secret."""


def environment_name(option: Option) -> str:
    """The environment variable that a secret option is read from: ``NETLAB_AUTHKEY``."""
    return "NETLAB_" + option.name.upper()


def add_options(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    """Add a flag for each option, and ``--NAME-file`` for each secret one."""
    for option in options:
        choices = option.choices or None
        metavar = None if choices else option.name.rpartition("_")[2].upper()
        text = option.help.replace("%", "%%")
        if option.secret:
            text += f" (also {option.flag}-file, ${environment_name(option)})"
            parser.add_argument(f"{option.flag}-file", dest=f"{option.name}_file", help="==SUPPRESS==")
        action = "append" if option.many else "store"
        parser.add_argument(option.flag, dest=option.name, action=action, choices=choices, metavar=metavar, help=text)


def folder(text: str) -> Path:
    """A folder from the command line. An empty variable of the shell does not stand for the current one."""
    if not text:
        from argparse import ArgumentTypeError

        raise ArgumentTypeError("'' is not a folder; . is the current one")
    return Path(text)


def chosen_options(
    arguments: argparse.Namespace, options: Iterable[Option], environ: Mapping[str, str] = os.environ
) -> dict[str, object]:
    """Each option's value: from its flag, for secrets from its file or the environment, else its default.

    Raises `ValueError` with a sentence that names the option, never its secret value.
    """
    return {option.name: _value(option, vars(arguments), environ) for option in options}


def _value(option: Option, given: Mapping[str, object], environ: Mapping[str, str]) -> object:
    text = given.get(option.name)
    if option.secret and text is None and (file := given.get(f"{option.name}_file")) is not None:
        text = _first_line(option, str(file))
    if option.secret and text is None:
        text = environ.get(environment_name(option))
    if text is None:
        return option.default
    if isinstance(text, list):
        text = ",".join(text)
    return _parsed(option, str(text))


def _parsed(option: Option, text: str) -> object:
    parse: Callable[[str], object] = option.parse
    try:
        return parse(text)
    except ValueError as error:
        if option.secret:  # the message may quote the value, and so may its cause
            raise ValueError(f"{option.flag}: the value is not usable") from None
        raise ValueError(f"{option.flag}: {error}") from None


def _first_line(option: Option, path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as lines:
            line = lines.readline(LONGEST_SECRET + 2).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(f"{option.flag}-file: cannot read {path}: {reason}") from None
    if len(line) > LONGEST_SECRET:
        raise ValueError(f"{option.flag}-file: the first line of {path} has more than {LONGEST_SECRET} characters")
    return line
