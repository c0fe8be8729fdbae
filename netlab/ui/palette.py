"""The command palette's provider: every available command, the panes' own commands, tabs, experiments, models, and
Textual's system commands. One provider, because the order among several providers is not stable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from textual.actions import parse
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.widget import Widget

from netlab.ui.keys.commands import COMMANDS, AppCommand, readable

if TYPE_CHECKING:
    from netlab.ui.tab.tab import TopicTab

Found = tuple[str, str, Callable[[], object]]
"""Title, help, and what is called."""


class PaletteApp(Protocol):
    """What the palette needs from the app."""

    @property
    def tab(self) -> TopicTab | None:
        """The body of the tab that is shown."""

    @property
    def tab_titles(self) -> list[tuple[int, str, str]]:
        """Number, title and summary of each tab."""

    @property
    def experiments(self) -> list[tuple[str, str]]:
        """Name and question of each experiment of the tab that is shown."""

    @property
    def models(self) -> Sequence[str]:
        """The current tab's models that this system can run."""

    @property
    def keymap(self) -> Mapping[str, str]:
        """The keys that the user configured, by command id."""

    def can(self, command: AppCommand) -> bool:
        """Whether a command is available now."""

    def key_of(self, command: AppCommand) -> str:
        """The command's current key."""

    def do(self, command: AppCommand) -> None:
        """Do what the command's key does."""

    def do_in(self, pane: str, widget: Widget, action: str) -> None:
        """Go to a pane, and run the action of one of its own keys."""

    def action_show_tab(self, number: int) -> None:
        """Show a tab by its number."""

    def action_tab(self, action: str, *arguments: object) -> None:
        """Run one of the tab's actions."""


def _own(widget: Widget) -> Iterator[Binding]:
    """A widget's bindings with an id, each action once, without mere movement (no tooltip, not in the footer)."""
    bindings = [b for kind in type(widget).__mro__ for b in vars(kind).get("BINDINGS", ()) if isinstance(b, Binding)]
    actions: set[str] = set()
    for binding in bindings:
        if binding.id and binding.action not in actions and (binding.tooltip or binding.show):
            actions.add(binding.action)
            yield binding


def _arguments(binding: Binding) -> tuple[object, ...]:
    return parse(binding.action)[2]


class CommandProvider(Provider):
    """Offers the app's commands, with their keys."""

    def _found(self) -> Iterator[Found]:
        app = cast("PaletteApp", self.app)
        for command in COMMANDS:
            if command.id != "palette" and app.can(command):
                keys = readable(app.key_of(command))
                yield f"{command.group}: {command.label}  ({keys})", command.tooltip, partial(app.do, command)
        yield from self._of_panes(app)
        for number, title, summary in app.tab_titles:
            yield f"tab: {title}  ({number})", summary, partial(app.action_show_tab, number)
        for name, question in app.experiments:
            yield f"experiment: {name}", question, partial(app.action_tab, "open_experiment", name)
        for model in app.models:
            yield f"model: {model}", "Serve with this model", partial(app.action_tab, "set_model", model)
        for offered in self.app.get_system_commands(self.screen):
            if offered.callback != self.app.action_quit:  # netlab's own asks first
                yield f"screen: {offered.title}", offered.help, offered.callback

    def _of_panes(self, app: PaletteApp) -> Iterator[Found]:
        """The mounted panes' own commands; running one goes to the pane first."""
        panes = app.tab.panes if app.tab is not None else None
        for widget in panes.query(Widget) if panes is not None else ():
            pane = panes.pane_of(widget) if panes is not None else ""
            for binding in _own(widget):
                if widget.check_action(binding.action.partition("(")[0], _arguments(binding)):
                    keys = readable(app.keymap.get(str(binding.id), binding.key).split(",")[0])
                    title = f"{pane}: {binding.description}  ({keys})"
                    yield title, binding.tooltip, partial(app.do_in, pane, widget, binding.action)

    async def discover(self) -> Hits:
        """All commands, before anything is typed."""
        for title, tooltip, run in self._found():
            yield DiscoveryHit(title, run, text=title, help=tooltip)

    async def search(self, query: str) -> Hits:
        """The commands whose name or sentence matches the query."""
        matcher = self.matcher(query)
        for title, tooltip, run in self._found():
            score = max(matcher.match(title), matcher.match(tooltip) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, text=title, help=tooltip)
