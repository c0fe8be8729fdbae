"""A topic's options in a lab: as text for the server's command line, as values for the client.

Secrets reach the server through its environment: other users can read a command line, but not an environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.serve.options import environment_name
from netlab.topics.contract import Option, Topic


@dataclass(frozen=True, slots=True)
class Setting:
    """An option that the server runs with, for the status line: its name there, its value, whether that is usual."""

    word: str
    value: str
    usual: bool


OptionValues = tuple[dict[str, str], dict[str, object]]


class Options:
    """The options that are set, and their values. Options that are not set keep the recipe's default."""

    def __init__(self, topic: Topic, given: Mapping[str, object]) -> None:
        self._known = {option.name: option for option in topic.options}
        self._texts: dict[str, str] = {}
        self._values: dict[str, object] = {}
        for name, value in given.items():
            self._give(name, value)

    def option(self, name: str) -> Option:
        """The option with that name (``-`` counts as ``_``). `LabError` lists the options."""
        try:
            return self._known[name.replace("-", "_")]
        except KeyError:
            names = ", ".join(self._known)
            advice = f"the options are {names}" if names else "this topic has no options"
            raise LabError(f"no option {safe(name)[:60]}", advice) from None

    def set(self, name: str, text: str, *, client_only: bool = False) -> Option:
        """Set an option from text. `LabError` says what is expected, without repeating a secret.

        ``client_only``: of an option that both sides take, the server keeps its value.
        """
        option = self.option(name)
        if option.choices and text not in option.choices:
            raise LabError(f"{option.flag} is one of {', '.join(option.choices)}")
        try:
            self._values[option.name] = option.parse(text)
        except ValueError as error:
            reason = "that value is not valid" if option.secret else safe(str(error))
            raise LabError(f"{option.flag}: {reason}", option.help) from None
        if not client_only:
            self._texts[option.name] = text
        return option

    def give_client(self, name: str, value: object) -> None:
        """Set an option's value for the client only."""
        self._values[self.option(name).name] = value

    def display(self, option: Option) -> str:
        """An option's value for the screen. A secret is shown, too, so the result must not be stored."""
        usual = text_of(option, option.default)
        client = text_of(option, self._values.get(option.name, option.default))
        server = self._texts.get(option.name, usual)
        if option.secret and option.client:
            return safe(f"the client's is {client!r}, the server's {server!r}")
        return safe(client if option.client and not option.server else server)

    def values_now(self) -> OptionValues:
        """What is set now, for `restore`."""
        return dict(self._texts), dict(self._values)

    def restore(self, values: OptionValues) -> None:
        """Set exactly what was set then."""
        self._texts, self._values = values

    def _give(self, name: str, value: object) -> None:
        if isinstance(value, str):
            self.set(name, value)
            return
        option = self.option(name)
        self._values[option.name] = value
        self._texts[option.name] = text_of(option, value)

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the options whose values are hidden."""
        return frozenset(name for name, option in self._known.items() if option.secret)

    @property
    def newline(self) -> str:
        """What ends a line of bare text; empty if the topic has no such option."""
        option = self._known.get("newline")
        return str(self._values.get("newline", option.default)) if option is not None else ""

    def server_arguments(self) -> list[str]:
        """The server's options as command line words, without secrets."""
        return [word for o, text in self._for_server() if not o.secret for word in (o.flag, text)]

    def server_environment(self) -> dict[str, str]:
        """All of the server's secrets as environment variables; a missing one would be inherited."""
        return {
            environment_name(option): self._texts.get(option.name) or text_of(option, option.default)
            for option in self._known.values()
            if option.secret and option.server
        }

    def server_secrets(self) -> dict[str, object]:
        """The values of the server's secrets, by option name."""
        return {
            option.name: option.parse(text) if (text := self._texts.get(option.name)) else option.default
            for option in self._known.values()
            if option.secret and option.server
        }

    def client_keywords(self) -> dict[str, object]:
        """The client's options as keyword arguments."""
        return {name: value for name, value in self._values.items() if self._known[name].client}

    def in_status(self) -> tuple[Setting, ...]:
        """The server's options that the status line shows, as they are now; never a secret."""
        shown = [option for option in self._known.values() if option.status and option.server and not option.secret]
        return tuple(
            Setting(option.status, safe(value), value == usual)
            for option in shown
            for usual in [text_of(option, option.default)]
            for value in [self._texts.get(option.name, usual)]
        )

    def _for_server(self) -> list[tuple[Option, str]]:
        return [(self._known[name], text) for name, text in self._texts.items() if self._known[name].server]


def text_of(option: Option, value: object) -> str:
    """A value as command line text: the choice that stands for it, or its text."""
    if isinstance(value, bytes):
        return os.fsdecode(value)
    if option.many and isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(map(str, value))
    return next((choice for choice in option.choices if option.parse(choice) == value), str(value))
