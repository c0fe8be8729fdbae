"""The status line under the tabs: what serves where, how, and how busy it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from netlab.capture.model import Endpoint
from netlab.lab.server_sockets import ServerSockets
from netlab.lab.state import LabState, Phase, ProgramProgress
from netlab.lab.topic_options import Setting
from netlab.names import is_loopback
from netlab.ui.widgets.formatting import Formatting, size


@dataclass(frozen=True, slots=True)
class StatusPart:
    """One fact: its forms from longest to shortest, and when it is dropped (the highest ``yields`` first)."""

    forms: tuple[str, ...]
    yields: int
    style: str = ""


GAP = "  "
UNUSUAL = 3
"""Seconds after which it is said that a program does not listen yet."""


def fit(parts: list[StatusPart], width: int) -> list[tuple[str, str]]:
    """(text, style) of each part that fits ``width`` cells, in order; whole words only.

    Parts are shortened first, then dropped by their ``yields``; remaining room lengthens the most important ones again.
    The first part always stays.
    """
    first, *others = parts
    forms = {0: 0} | {index: len(part.forms) - 1 for index, part in enumerate(others, 1)}

    def texts() -> list[str]:
        return [parts[index].forms[form] for index, form in sorted(forms.items())]

    def fits() -> bool:
        return cell_len(GAP.join(texts())) <= width

    for index in sorted(range(1, len(parts)), key=lambda index: -parts[index].yields):
        if fits():
            break
        del forms[index]
    if not fits():
        forms[0] = len(first.forms) - 1
    for index in sorted(forms, key=lambda index: parts[index].yields):
        for form in range(forms[index]):
            before, forms[index] = forms[index], form
            if fits():
                break
            forms[index] = before
    return [(text, parts[index].style) for text, index in zip(texts(), sorted(forms), strict=True)]


_PHASES = {
    Phase.STOPPED: ("○ stopped", "$text-muted"),
    Phase.STARTING: ("◔ starting", "$text-warning"),
    Phase.STOPPING: ("◔ stopping", "$text-warning"),
    Phase.SERVING: ("● serving", "bold $text-success"),
    Phase.FAILED: ("✗ could not start", "bold $text-error"),
    Phase.DEAD: ("✗ server died", "bold $text-error"),
}


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _first(state: LabState, show: Formatting, attached: bool) -> StatusPart:
    word, style = _PHASES[state.phase]
    if state.down and state.address is not None:
        return StatusPart((f"○ down {show.endpoint(state.address)}", "○ down"), 0, "bold $text-warning")
    if state.absent is not None and state.address is not None:
        return _absent(state.address, state.absent, show)
    if state.progress is not None:
        return _program(word, style, state.progress)
    if state.wire_died:
        word = "✗ wire died"
    if state.phase is Phase.SERVING and state.address is not None:
        if attached and state.server_address is not None:
            way = f"{show.endpoint(state.address)} → {show.endpoint(state.server_address)}"
            ports = f":{show.port(state.address.port)} → :{show.port(state.server_address.port)}"
            return StatusPart((f"● {way}", f"● {ports}"), 0, style)
        return StatusPart((f"{word} {show.endpoint(state.address)}", f"● {show.endpoint(state.address)}"), 0, style)
    return StatusPart((word,), 0, style)


def _absent(address: Endpoint, server: Endpoint, show: Formatting) -> StatusPart:
    """Nothing listens in the server's place."""
    way = f"{show.endpoint(address)} → {show.endpoint(server)}"
    ports = f":{show.port(address.port)} → :{show.port(server.port)}"
    words = "nothing listens there"
    return StatusPart((f"○ {way}, {words}", f"○ {ports}, {words}", "○ nothing listens"), 0, "bold $text-warning")


def _program(word: str, style: str, progress: ProgramProgress) -> StatusPart:
    """A program that starts or ends."""
    if progress.kill_in is not None:
        left = f"SIGKILL in {progress.kill_in} s"
        return StatusPart((f"◔ stopping, {left}; s kills it now", f"◔ {left}; s now", "◔ stopping"), 0, style)
    return StatusPart((f"{word}, {progress.seconds} s" if progress.seconds else word, word), 0, style)


def not_listening(progress: ProgramProgress) -> str:
    """What is known of a program that has not begun to listen; empty if that is no surprise yet."""
    if progress.kill_in is not None or progress.seconds < UNUSUAL:
        return ""
    if progress.elsewhere:
        ports = " and ".join(map(str, progress.elsewhere))
        return f"It listens on {ports}, not on {progress.port}; try --port {progress.elsewhere[0]}"
    if progress.foreign:
        return f"Another program listens on {progress.port}; netlab attach {progress.port} leads to that one"
    where = f" on {progress.port}" if progress.port else ""
    return f"It is not listening{where} yet, {progress.seconds} s; s stops it"


_UNIT = re.compile(r"(\d)(µs|us|ms|s|[kKMG]i?B)\b")


def _wire(state: LabState, show: Formatting, attached: bool) -> StatusPart:
    faults = " · ".join(_UNIT.sub(r"\1 \2", fault) for fault in state.faults)
    what = f"wire: {faults}" if faults else "wire clean"
    if faults:
        return StatusPart((what, f"wire: {_plural(len(state.faults), 'fault', 'faults')}"), 1, "$text-warning")
    if state.server_address is None or attached:
        return StatusPart((what,), 6)
    behind = f"→ :{show.port(state.server_address.port)}"
    return StatusPart((f"{what} {behind}", f"wire {behind}"), 6)


def _setting(setting: Setting, show: Formatting) -> StatusPart:
    """What the server was started with; what is unusual is left out last."""
    words = f"{setting.word} {show.text(setting.value)}"
    return StatusPart((words,), 3) if setting.usual else StatusPart((words,), 1, "$text-warning")


def _holding(state: LabState, show: Formatting) -> StatusPart:
    """The intercept filter, and how many segments are held."""
    count = f"{len(state.held)} held"
    words = (f"hold: {show.text(state.intercept)}",) if state.intercept else ()
    return StatusPart((", ".join((*words, count)), count), 1, "bold $text-warning" if state.held else "$text-warning")


def _queue(state: LabState, sockets: ServerSockets | None) -> StatusPart | None:
    """The accept queue; where it is not known, that, if a reason is known."""
    if state.queue is None:
        if sockets is None or not sockets.unknown or sockets.drops is not None:
            return None
        return StatusPart((f"queue unknown: {sockets.unknown}", "queue unknown", "queue ?"), 4, "$text-muted")
    limit = f"/{state.backlog}" if state.backlog is not None else ""
    derived = "≈" if state.queue_derived else ""
    return StatusPart((f"queue {derived}{state.queue}{limit}",), 2, "bold $text-warning" if state.queue else "")


def _sockets(sockets: ServerSockets, own: bool) -> list[StatusPart]:
    """What else the kernel knows, if it is out of the ordinary; ``own`` says that the lab started the server."""
    warning, parts = "$text-warning", list[StatusPart]()
    if sockets.left:
        left = _plural(sockets.left, "client", "clients")
        parts.append(StatusPart((f"{left} left, not closed", f"{sockets.left} not closed"), 3, warning))
    if sockets.direct:
        parts.append(StatusPart((f"{sockets.direct} not through the wire", f"{sockets.direct} direct"), 3, warning))
    if sockets.datagrams_wait:
        parts.append(StatusPart(("datagrams wait",), 3, warning))
    if sockets.drops:
        parts.append(StatusPart((f"{sockets.drops:,} dropped by the kernel", f"{sockets.drops:,} dropped"), 3, warning))
    if sockets.name and not own:
        what = "forwarder" if sockets.forwarder else "server"
        parts.append(StatusPart((f"{what} {sockets.name}", sockets.name), 4))
    return parts


def facts(state: LabState, show: Formatting, *, attached: bool = False) -> list[StatusPart]:
    """The parts of the line, in order; ``attached`` says that the server is a person's own."""
    parts = [_first(state, show, attached)]
    if state.own is not None:
        file = show.text(state.own.file)
        parts.append(StatusPart((f"own server: {file}", file), 1, "$text-warning" if state.own.problem else ""))
    elif not attached:
        parts.append(StatusPart((f"model {state.model}", state.model), 1))
    if state.phase is not Phase.SERVING:
        return parts
    parts += [_setting(setting, show) for setting in state.settings]
    parts.append(_wire(state, show, attached))
    if state.intercept or state.held:
        parts.append(_holding(state, show))
    sockets = show.sockets(state.sockets)
    if (queue := _queue(state, sockets)) is not None:
        parts.append(queue)
    if sockets is not None:
        parts += _sockets(sockets, own=state.server_pid is not None)
    accounts = state.accounts
    parts.append(StatusPart((_plural(accounts.clients, "client", "clients"),), 3))
    parts.append(StatusPart((size(accounts.to_server + accounts.to_client),), 5))
    for word, many, value in (("thread", "threads", state.threads), ("process", "processes", state.processes)):
        if value is not None and (
            value > 1 or not (state.faults or state.intercept)
        ):  # these matter more than a single thread
            parts.append(StatusPart((_plural(show.count(many, value), word, many),), 4 if value > 1 else 7))
    return parts


class StatusLine(Widget):
    """Shows a lab's state in one line; the least important parts are dropped if they do not fit."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    state: reactive[LabState | None] = reactive(None)

    def __init__(self, formatting: Formatting, *, attached: bool = False) -> None:
        """``attached`` says that the server is a person's own."""
        super().__init__()
        self._formatting, self._attached = formatting, attached

    def render(self) -> Content:
        """The line at its current width."""
        if self.state is None:
            return Content("")
        parts = fit(facts(self.state, self._formatting, attached=self._attached), self.content_size.width)
        return Content(GAP).join([Content.styled(text, style) for text, style in parts])


class Banner(Widget):
    """Shows in the tab what went wrong and what to try; hidden if nothing did."""

    DEFAULT_CSS = """
    Banner {
        display: none; height: auto; padding: 0 1; background: $error-muted; color: $text;
        border-left: thick $error;
    }
    Banner.-shown { display: block; }
    """

    state: reactive[LabState | None] = reactive(None, repaint=False)

    def __init__(self, formatting: Formatting) -> None:
        super().__init__()
        self._formatting = formatting
        self._said: list[tuple[str, str]] = []

    def watch_state(self, state: LabState | None) -> None:
        """Show or hide the banner. The state changes often, the text seldom: only then is it laid out."""
        said = self._sentences(state) if state is not None else []
        if said != self._said:
            self._said = said
            self.set_class(bool(said), "-shown")
            self.refresh(layout=True)

    def _sentences(self, state: LabState) -> list[tuple[str, str]]:
        show = self._formatting.text
        lines: list[tuple[str, str]] = []
        if state.phase is Phase.FAILED:
            lines.append((f"✗ The server could not start: {show(state.problem)}", "bold"))
        elif state.phase is Phase.DEAD:
            lines.append((f"✗ {show(state.problem[:1].upper() + state.problem[1:])}", "bold"))
        if lines and state.advice:
            lines.append((f"  Try: {show(state.advice)}", ""))
        if lines and ":start" not in state.advice:
            lines.append(("  Press s to start it again (in the console, press esc first)", ""))
        if state.progress is not None and (remark := not_listening(state.progress)):
            lines.append((f"! {remark}", ""))
        if state.own is not None and state.own.problem and state.phase is Phase.SERVING:
            lines.append((f"✗ {show(state.own.problem)}", "bold"))
            lines.append(("  The last version that worked still serves. Save the file again to try it.", ""))
        if state.phase is Phase.SERVING and state.address is not None and not is_loopback(state.address.host):
            lines.append((f"! {show(state.address.host)} is not loopback: other machines can reach this server", ""))
        if state.absent is not None:
            where = show(str(state.absent))
            lines.append((f"! Nothing listens at {where}: clients are refused until a server does", ""))
        if state.capture_note:
            lines.append((f"! {show(state.capture_note)}", ""))
        return lines

    def render(self) -> Content:
        """One line for each sentence."""
        return Content("\n").join([Content.styled(text, style) for text, style in self._said])
