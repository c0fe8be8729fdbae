"""The user's configuration: keys and theme, read from ``config.toml`` and checked before Textual sees it.

    theme = "textual-light"

    [keys]
    "server.toggle" = "f9"

Textual silently accepts unknown ids and keys, and a clash removes the other binding, even quit. So each entry is
checked here; wrong ones are ignored and reported.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from netlab.ui.keys.commands import COMMANDS, PROMPT_COMMANDS

RESERVED = {"ctrl+q": "quit", "ctrl+c": "copy the selection, or abandon a call"}
"""Keys that cannot be assigned to anything else."""

TABS = {f"tab.{n}": str(n % 10) for n in range(1, 11)}
"""The keys of the tabs, by id."""

_NAMES = "escape enter tab backspace delete insert home end pageup pagedown up down left right space"
_NAMED = frozenset(_NAMES.split() + [f"f{n}" for n in range(1, 25)])
_SIGNS = (
    "question_mark slash backslash left_square_bracket right_square_bracket colon semicolon comma full_stop minus plus "
    "equals_sign underscore asterisk number_sign exclamation_mark dollar_sign percent_sign ampersand apostrophe "
    "quotation_mark left_parenthesis right_parenthesis less_than_sign greater_than_sign at circumflex_accent "
    "grave_accent left_curly_bracket right_curly_bracket vertical_line tilde"
)
_PUNCTUATION = frozenset(_SIGNS.split())
_KEY = re.compile(r"(?:(?:ctrl|alt|shift|super)\+)*(?P<last>.+)")


@dataclass(frozen=True, slots=True)
class Config:
    """The valid settings of the file; ``problems`` are sentences about the others."""

    theme: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read_config(file: Path) -> Config:
    """The configuration in ``file``; empty if there is no file. Never raises: errors become ``problems``."""
    try:
        text = file.read_bytes().decode()
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        return Config(problems=(f"{file} cannot be read: {error}",))
    import tomllib  # late: most people have no such file

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Config(problems=(f"{file} is not TOML: {error}",))
    theme = table.get("theme")
    keys = table.get("keys", {})
    if not isinstance(keys, dict):
        return Config(problems=(f"{file}: [keys] must be a table",))
    accepted, problems = check_keys({str(name): str(key) for name, key in keys.items()})
    return Config(theme if isinstance(theme, str) else None, accepted, tuple(problems))


def _is_key(key: str) -> bool:
    match = _KEY.fullmatch(key)
    last = match["last"] if match else ""
    return last in _NAMED or last in _PUNCTUATION or (len(last) == 1 and last.isprintable())


def _keys(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]


def _places(wanted: Collection[str]) -> list[Mapping[str, str]]:
    """The ids and default keys of each place that binds keys; a key is bound once per place. Panes only if needed."""
    places = [{c.id: c.key for c in COMMANDS} | TABS, {c.id: c.key for c in PROMPT_COMMANDS}]
    if not all(any(name in place for place in places) for name in wanted):
        from netlab.ui.keys.pane_keys import pane_keys  # late: it imports every module of ui

        return [*places, *pane_keys().values()]
    return [*places]


def _clash(name: str, place: Mapping[str, str], keys: list[str], accepted: Mapping[str, str]) -> str | None:
    """The id of another command in the same place that would have one of the keys, if any."""
    for other, default in place.items():
        if other != name and set(keys) & set(_keys(accepted.get(other, default))):
            return other
    return None


def _fault(name: str, text: str, accepted: Mapping[str, str], places: Iterable[Mapping[str, str]]) -> str | None:
    """What is wrong with one entry, in a sentence, or None."""
    place = next((place for place in places if name in place), None)
    if place is None:
        return f"keys: unknown command {name!r}"
    keys = _keys(text)
    if not keys:
        return f"keys: {name} needs at least one key"
    if wrong := [key for key in keys if not _is_key(key)]:
        return f"keys: {name}: {wrong[0]!r} is not the name of a key"
    if taken := [key for key in keys if key in RESERVED and key not in _keys(place[name])]:
        return f"keys: {name}: {taken[0]} is reserved: {RESERVED[taken[0]]}"
    if "quit" in place and name not in TABS and (digits := [key for key in keys if key.isdigit()]):
        return f"keys: {name}: {digits[0]} selects a tab"
    if other := _clash(name, place, keys, accepted):
        return f"keys: {name}: {text} is already the key of {other}"
    return None


def check_keys(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The valid entries, and a sentence about each invalid one. Entries are checked together: two commands may swap
    their keys."""
    places = _places(wanted)
    accepted = {name: key for name, key in wanted.items() if any(name in place for place in places)}
    unknown = wanted.keys() - accepted.keys()
    problems = [fault for name in unknown if (fault := _fault(name, wanted[name], accepted, places))]
    for name in list(accepted):
        if fault := _fault(name, accepted[name], accepted, places):
            problems.append(fault)
            del accepted[name]
    return accepted, problems
