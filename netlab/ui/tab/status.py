"""The line under the tabs that is always true: what serves where, how, and how busy it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from netlab.lab.state import LabState, Phase
from netlab.ui.widgets.formatting import Presentation, size


@dataclass(frozen=True, slots=True)
class Part:
    """One fact: its forms from the longest to the shortest, and how soon it gives way (the highest first)."""

    forms: tuple[str, ...]
    yields: int
    style: str = ""


GAP = "  "


def fit(parts: list[Part], width: int) -> list[tuple[str, str]]:
    """(text, style) of each part that stays in ``width`` cells, in their order; whole words only.

    Parts shorten first, then go by their ``yields``; what room is left lengthens the most important ones again. The
    first part always stays.
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
    Phase.SERVING: ("● serving", "bold $text-success"),
    Phase.FAILED: ("✗ could not start", "bold $text-error"),
    Phase.DEAD: ("✗ server died", "bold $text-error"),
}


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _first(state: LabState, show: Presentation) -> Part:
    word, style = _PHASES[state.phase]
    if state.wire_died:
        word = "✗ wire died"
    if state.phase is Phase.SERVING and state.address is not None:
        return Part((f"{word} {show.endpoint(state.address)}", f"● {show.endpoint(state.address)}"), 0, style)
    return Part((word,), 0, style)


_UNIT = re.compile(r"(\d)(µs|us|ms|s|[kKMG]i?B)\b")


def _wire(state: LabState, show: Presentation) -> Part:
    faults = " · ".join(_UNIT.sub(r"\1 \2", fault) for fault in state.faults)
    what = f"wire: {faults}" if faults else "wire clean"
    if faults:
        return Part((what, f"wire: {_plural(len(state.faults), 'fault', 'faults')}"), 1, "$text-warning")
    if state.server_address is None:
        return Part((what,), 6)
    behind = f"→ :{show.port(state.server_address.port)}"
    return Part((f"{what} {behind}", f"wire {behind}"), 6)


def _holding(state: LabState, show: Presentation) -> Part:
    """What is held by hand: the filter, and how many wait."""
    count = f"{len(state.held)} held"
    words = (f"hold: {show.text(state.intercept)}",) if state.intercept else ()
    return Part((", ".join((*words, count)), count), 1, "bold $text-warning" if state.held else "$text-warning")


def facts(state: LabState, show: Presentation) -> list[Part]:
    """The parts of the line, in the order in which they stand."""
    parts = [_first(state, show), Part((f"model {state.model}", state.model), 1)]
    if state.phase is not Phase.SERVING:
        return parts
    parts.append(_wire(state, show))
    if state.intercept or state.held:
        parts.append(_holding(state, show))
    if state.queue is not None:
        limit = f"/{state.backlog}" if state.backlog is not None else ""
        parts.append(Part((f"queue {state.queue}{limit}",), 2, "bold $text-warning" if state.queue else ""))
    accounts = state.accounts
    parts.append(Part((_plural(accounts.clients, "client", "clients"),), 3))
    parts.append(Part((size(accounts.to_server + accounts.to_client),), 5))
    for word, many, value in (("thread", "threads", state.threads), ("process", "processes", state.processes)):
        if value is not None and (value > 1 or not (state.faults or state.intercept)):  # those say more than one thread
            parts.append(Part((_plural(show.count(many, value), word, many),), 4 if value > 1 else 7))
    return parts


class StatusLine(Widget):
    """Shows a lab's state in one line, shortened by importance to what fits."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    state: reactive[LabState | None] = reactive(None)

    def __init__(self, presentation: Presentation) -> None:
        super().__init__()
        self._presentation = presentation

    def render(self) -> Content:
        """The line at its present width."""
        if self.state is None:
            return Content("")
        parts = fit(facts(self.state, self._presentation), self.content_size.width)
        return Content(GAP).join([Content.styled(text, style) for text, style in parts])


class Banner(Widget):
    """What went wrong and what to try, in the tab itself; not there while all is well."""

    DEFAULT_CSS = """
    Banner {
        display: none; height: auto; padding: 0 1; background: $error-muted; color: $text;
        border-left: thick $error;
    }
    Banner.-shown { display: block; }
    """

    state: reactive[LabState | None] = reactive(None, repaint=False)

    def __init__(self, presentation: Presentation) -> None:
        super().__init__()
        self._presentation = presentation
        self._said: list[tuple[str, str]] = []

    def watch_state(self, state: LabState | None) -> None:
        """Appear and go with the problem. The state changes often, what is said seldom: only then is it laid out."""
        said = self._sentences(state) if state is not None else []
        if said != self._said:
            self._said = said
            self.set_class(bool(said), "-shown")
            self.refresh(layout=True)

    def _sentences(self, state: LabState) -> list[tuple[str, str]]:
        show = self._presentation.text
        lines: list[tuple[str, str]] = []
        if state.phase is Phase.FAILED:
            lines.append((f"✗ The server could not start: {show(state.problem)}", "bold"))
        elif state.phase is Phase.DEAD:
            lines.append((f"✗ {show(state.problem[:1].upper() + state.problem[1:])}", "bold"))
        if lines and state.advice:
            lines.append((f"  Try: {show(state.advice)}", ""))
        if lines and ":start" not in state.advice:
            lines.append(("  s starts it again (esc first, to leave the console)", ""))
        if state.capture_note:
            lines.append((f"! {show(state.capture_note)}", ""))
        return lines

    def render(self) -> Content:
        """One line for each sentence."""
        return Content("\n").join([Content.styled(text, style) for text, style in self._said])
