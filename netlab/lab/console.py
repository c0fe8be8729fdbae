"""The console's commands, which begin with a colon, as a table. The UI's help and completion come from it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from netlab.dissect.text import safe
from netlab.lab import wire_commands
from netlab.lab.client.session import Session
from netlab.lab.client.transcript_text import HIDDEN
from netlab.lab.errors import LabError
from netlab.lab.parse import unknown
from netlab.topics.contract import Option, Topic

if TYPE_CHECKING:
    from netlab.lab.lab import Lab


@dataclass(frozen=True, slots=True)
class ConsoleCommand:
    """One command: its name without the colon, its arguments as help shows them, and what it does.

    ``run`` gets the lab and the rest of the line, and returns its answer. ``secret`` arguments are not shown.
    """

    name: str
    arguments: str
    help: str
    run: Callable[[Lab, str], str | None]
    secret: bool = False


_OF_OUR_SERVERS = frozenset({"model", "idle", "server"})
"""Commands that a person's own server does not understand."""
_SECRETS_INSIDE = "it contains the secrets of its TLS sessions: anyone who has this file can read their data"


def commands_for(topic: Topic) -> tuple[ConsoleCommand, ...]:
    """The commands of a topic's lab: those of every lab, and one for each option of the topic."""
    known = COMMANDS if not topic.attached else tuple(each for each in COMMANDS if each.name not in _OF_OUR_SERVERS)
    return known + tuple(_for_option(option) for option in topic.options)


def run(lab: Lab, line: str) -> str | None:
    """Run a command line and return its answer. Raises `LabError`, with similar names for an unknown command."""
    command, rest = _found(lab, line)
    return command.run(lab, rest)


def run_and_note(lab: Lab, line: str) -> str | None:
    """Run a command line and note it, with its outcome, in the current client's transcript.

    If there is no client, the outcome is returned or raised.
    """
    before = lab.current
    if before is not None:
        before.note(shown(lab, line))
    try:
        if _asks_for_secret(lab, line):
            return run(lab, line)  # for the screen alone: a transcript is copied and saved
        answer = run(lab, line)
    except Exception as error:
        if before is None:
            raise
        before.complain(error)
        return None
    after = lab.current
    if after is None or answer is None:
        return answer
    after.note(answer)
    return None


def run_lines(lab: Lab, text: str) -> str | None:
    """Run console lines: commands at once, other lines in the current client without waiting for them.

    Among several lines, a command waits for the lines before it.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    answer = None
    for index, line in enumerate(lines):
        if not line.lstrip().startswith(":"):
            (lab.current or lab.open()).submit(line)
            continue
        if index and lab.current is not None:
            lab.current.wait_idle()
        answer = run_and_note(lab, line)
    return answer


def _asks_for_secret(lab: Lab, line: str) -> bool:
    command, rest = _found(lab, line)
    return command.secret and not rest


def shown(lab: Lab, line: str) -> str:
    """A command line without its secrets, to be shown and remembered."""
    try:
        command, rest = _found(lab, line)
    except LabError:
        return _name(line) and f":{_name(line)}"
    return f":{command.name} {HIDDEN if command.secret and rest else rest}".rstrip()


def _name(line: str) -> str:
    return safe(line.strip().removeprefix(":").split(" ")[0])[:40]


def _found(lab: Lab, line: str) -> tuple[ConsoleCommand, str]:
    name, _, rest = line.strip().removeprefix(":").partition(" ")
    known = {command.name: command for command in commands_for(lab.topic)}
    command = known.get(name.replace("_", "-"))
    if command is None:
        raise unknown("command", f":{name}", [f":{each}" for each in known])
    return command, rest.strip()


def _for_option(option: Option) -> ConsoleCommand:
    choices = "|".join(option.choices) or "VALUE"
    later = option.client and not option.server
    text = f"{option.help}, from the next connection on" if later else option.help
    if option.secret and option.client:
        text = f"{option.help}: sets the client's alone, the server keeps its own; without VALUE, shows both"
    return ConsoleCommand(option.flag[2:], f"[{choices}]", text, partial(_set_option, option), option.secret)


def _set_option(option: Option, lab: Lab, text: str) -> str:
    if not text:
        return f"{option.flag[2:]}: {lab.options.display(option)}"
    lab.set_option(option.name, text)
    value = HIDDEN if option.secret else safe(text)
    whose = " for the client" if option.secret and option.client else ""
    after = "; the next :connect uses it" if option.client else ""
    return f"{option.flag[2:]} is {value}{whose}{after}"


def _none(lab: Lab, rest: str) -> None:
    """Refuse an argument."""
    if rest:
        raise LabError(
            f"this command takes no argument, but got {safe(rest)[:40]}", ":help shows what each command takes"
        )


def _session(lab: Lab, rest: str = "") -> Session:
    """The client with this number or name; without one, the current client."""
    if rest:
        return lab.find(rest)
    if lab.current is None:
        raise LabError("there is no client yet", ":connect opens one")
    return lab.current


def _connect(lab: Lab, rest: str) -> None:
    """Connect a new client; without a name, connect the current one again if it is not connected."""
    current = lab.current
    session = current if current is not None and not rest and not current.connected else lab.open(rest or None)
    session.begin_connect()


def _use(lab: Lab, rest: str) -> str:
    if not rest:
        raise LabError(":use needs a client's number or name", "as in :use 2")
    session = lab.use(rest)
    return f"now {session.name}"


def _close(lab: Lab, rest: str) -> None:
    """Close the connection; close the client itself if it is not connected."""
    session = _session(lab, rest)
    if session.connected:
        session.disconnect()
    else:
        session.close()


def _model(lab: Lab, rest: str) -> str:
    lab.set_model(rest)
    return f"model {lab.state.model}"


def _server(lab: Lab, rest: str) -> str:
    return lab.own.use(Path(rest)) if rest else lab.own.leave()


def _port(lab: Lab, rest: str) -> str:
    if not (rest.isascii() and rest.isdigit() and len(rest) <= 5):
        raise LabError(f"{safe(rest)[:40] or 'nothing'} is not a port", "as in :port 20000; 0 takes any free port")
    return f"listening on {lab.set_port(int(rest))}"


def _timeout(lab: Lab, rest: str) -> str:
    try:
        seconds = float(rest)
    except ValueError:
        raise LabError(f"{safe(rest)[:40] or 'nothing'} is not a number of seconds", "as in :timeout 5") from None
    lab.set_timeout(seconds)
    return f"a call waits at most {seconds:g} s"


_IDLE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|m|min|h)?")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def _idle(lab: Lab, rest: str) -> str:
    """Show or set how long the server lets a client stall."""
    if rest in ("off", "none"):
        lab.set_idle(math.inf)
    elif rest:
        found = _IDLE.fullmatch(rest)
        if found is None:
            raise LabError(f"{safe(rest)[:40]} is not a time", "as in :idle 30s, :idle 10m or :idle off")
        lab.set_idle(float(found[1]) * _SECONDS[found[2] or "s"])
    if lab.idle == math.inf:
        return "silent clients are not dropped"
    limit = "30 s (the server's own limit)" if lab.idle is None else f"{lab.idle:g} s"
    return f"a client that is silent for {limit} is dropped"


def _save(lab: Lab, rest: str) -> str:
    name, _, last = rest.rpartition(" ")
    secrets = last == "--secrets"
    name = name.strip() if secrets else rest
    if not name:
        raise LabError(":save needs a file's name", "as in :save lab.pcapng")
    saved = f"saved {lab.save(name, secrets=secrets)}"
    return f"{saved}\n{_SECRETS_INSIDE}" if secrets else saved


def _help(lab: Lab, rest: str) -> str:
    known = commands_for(lab.topic)
    if rest:
        found, _ = _found(lab, rest)
        known = (found,)
    return "\n".join(f"{f':{c.name} {c.arguments}'.rstrip()}: {c.help}" for c in known)


def _plain(action: Callable[[Lab], object]) -> Callable[[Lab, str], str | None]:
    """A command that takes no argument and has no answer."""

    def run(lab: Lab, rest: str) -> None:
        _none(lab, rest)
        action(lab)

    return run


COMMANDS: tuple[ConsoleCommand, ...] = (
    ConsoleCommand("connect", "[NAME]", "connect another client, or this one again", _connect),
    ConsoleCommand("use", "N|NAME", "switch to another client", _use),
    ConsoleCommand("close", "[N|NAME]", "close a client's connection; once more, the client", _close),
    ConsoleCommand("half-close", "", "send FIN and go on reading", _plain(lambda lab: _session(lab).half_close())),
    ConsoleCommand("reset", "", "reset the connection (RST)", _plain(lambda lab: _session(lab).reset())),
    ConsoleCommand(
        "abandon", "", "stop waiting; the connection stays open", _plain(lambda lab: _session(lab).abandon())
    ),
    ConsoleCommand("timeout", "SECONDS", "set how long a call waits", _timeout),
    ConsoleCommand("idle", "[TIME|off]", "set when the server drops a silent client, as in :idle 30s", _idle),
    ConsoleCommand("model", "NAME", "serve with another model", _model),
    ConsoleCommand(
        "server", "[FILE]", "serve with your own file, again each time it is saved; alone, with the recipe", _server
    ),
    ConsoleCommand("port", "N", "listen on another port; 0 takes any free port", _port),
    ConsoleCommand("start", "", "start the server", _plain(lambda lab: lab.start())),
    ConsoleCommand("stop", "", "stop the server and free the port", _plain(lambda lab: lab.stop())),
    ConsoleCommand("restart", "", "stop the server and start it again", _plain(lambda lab: lab.restart())),
    ConsoleCommand(
        "save", "FILE [--secrets]", "save the capture for Wireshark; --secrets includes the TLS secrets", _save
    ),
    ConsoleCommand("clear", "", "start a new capture", _plain(lambda lab: lab.clear_capture())),
    ConsoleCommand(
        "fault", "[SPEC [if FILTER]]", "add a fault to the wire; alone, list the kinds", wire_commands.fault
    ),
    ConsoleCommand("faults", "", "list the active faults", wire_commands.active),
    ConsoleCommand("clear-faults", "", "remove all faults", wire_commands.clear),
    ConsoleCommand("down", "", "let the server seem gone: refuse clients and reset flows", wire_commands.down),
    ConsoleCommand("up", "", "take clients again", wire_commands.up),
    ConsoleCommand(
        "intercept",
        "[FILTER]",
        "hold matching segments, as in :intercept -> 'Hello'; alone, stop holding",
        wire_commands.intercept,
    ),
    ConsoleCommand("release", "[N]", "release a held segment, or all", wire_commands.release),
    ConsoleCommand("help", "[COMMAND]", "list the commands", _help),
)
