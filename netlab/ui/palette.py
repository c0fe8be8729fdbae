"""The command palette's provider: every command that can be had now, every tab, every model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from netlab.ui.commands import COMMANDS, readable

if TYPE_CHECKING:
    from netlab.ui.app import NetlabApp

Found = tuple[str, str, Callable[[], object]]
"""Title, help, and what is called."""


class CommandProvider(Provider):
    """Offers the app's commands, with their keys."""

    def _found(self) -> Iterator[Found]:
        app = cast("NetlabApp", self.app)
        for command in COMMANDS:
            if command.id != "palette" and app.can(command):
                keys = readable(app.key_of(command))
                yield f"{command.group}: {command.label}  ({keys})", command.tooltip, partial(app.do, command)
        for number, (title, summary) in enumerate(app.tab_titles, 1):
            yield f"tab: {title}  ({number})", summary, partial(app.action_show_tab, number)
        for name, question in app.experiments:
            yield f"experiment: {name}", question, partial(app.action_bench, "open_experiment", name)
        for model in app.models:
            yield f"model: {model}", "Serve with this model from now on", partial(app.action_bench, "set_model", model)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for title, tooltip, run in self._found():
            yield DiscoveryHit(title, run, text=title, help=tooltip)

    async def search(self, query: str) -> Hits:
        """Those that match what is typed, by name or by sentence."""
        matcher = self.matcher(query)
        for title, tooltip, run in self._found():
            score = max(matcher.match(title), matcher.match(tooltip) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, text=title, help=tooltip)
