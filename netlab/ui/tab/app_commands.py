"""The console's commands that concern the app and not the lab of the tab."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from netlab.lab.console import ConsoleCommand
from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.topics.contract import Topic


def _only_in_the_app(lab: Lab, rest: str) -> str:
    raise LabError("this command needs the app", "netlab starts it")


APP_COMMANDS = (
    ConsoleCommand(
        "attach",
        "HOST:PORT …",
        "open a tab for a server of your own, as `netlab attach` does",
        _only_in_the_app,
    ),
    ConsoleCommand(
        "load",
        "[LINE] [--OPTION …]|stop|open FILE",
        "put a load on this tab's server, such as --clients 20 --rate 200 --for 10s --models single,pool; alone, ask",
        _only_in_the_app,
    ),
    ConsoleCommand(
        "edit",
        "[FOLDER]",
        "edit your own server file; the first time, a copy of the recipe in a folder of your choice",
        _only_in_the_app,
    ),
    ConsoleCommand(
        "detach", "", "close this tab of a server of your own; a program that it started ends", _only_in_the_app
    ),
)


@dataclass
class AppCommandEntered(Message):
    """One of `APP_COMMANDS` was entered in the tab of a topic."""

    name: str
    rest: str
    topic: Topic


def app_command(line: str, topic: Topic) -> AppCommandEntered | None:
    """What a console line asks of the app; None if it is a line for the lab."""
    name, _, rest = line.strip().partition(" ")
    known = (command.name for command in APP_COMMANDS)
    return next((AppCommandEntered(each, rest.strip(), topic) for each in known if name == f":{each}"), None)
