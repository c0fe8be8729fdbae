"""The app: a tab for each topic, the footer, and the routing of keys. It only arranges; the tabs do the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.filter import LineFilter
from textual.widget import Widget
from textual.widgets import Input, TabbedContent

from netlab.lab.errors import LabError
from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken
from netlab.ui.keys import commands
from netlab.ui.keys.footer import KeyFooter
from netlab.ui.keys.keymap import Config
from netlab.ui.keys.type_ahead import TypeAhead
from netlab.ui.tab_titles import TabOrder
from netlab.ui.terminal.terminal_app import TerminalApp
from netlab.ui.topic_tabs import TopicTabs
from netlab.ui.widgets.control_filter import CONTROL_FILTER
from netlab.ui.widgets.formatting import Formatting
from netlab.ui.widgets.notices import CSS as NOTICES

if TYPE_CHECKING:
    from netlab.ui.attachment_tabs import Attaching
    from netlab.ui.lab_thread import LiveLab
    from netlab.ui.tab.app_commands import AppCommandEntered
    from netlab.ui.tab.tab import TopicTab


STOLEN = frozenset({"slash", "backslash", "at", "minus", "plus", "underscore"})
"""Keys that Textual 8.2.8 treats as bindings even while an input has the focus: `textual.keys.key_to_character` does
not know their characters, so Textual does not ask the input whether it consumes them."""


def _command_provider() -> type[Provider]:
    from netlab.ui.palette import CommandProvider  # late: only the palette needs it

    return CommandProvider


class NetlabApp(TerminalApp, TypeAhead):
    """A tab with a lab for each topic."""

    TITLE = "netlab"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_command_provider}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual types it as an instance attribute
    CSS = (
        NOTICES
        + """
    TabbedContent, ContentSwitcher { height: 1fr; }
    TabPane { height: 1fr; padding: 0; layout: vertical; }
    Tabs { height: 1; background: $panel; }
    Tabs Underline { display: none; }
    Tab { color: $foreground; }
    Tab.-active { text-style: bold reverse; }
    .broken { padding: 1 2; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [*commands.bindings(commands.COMMANDS), *commands.topic_bindings()]

    def __init__(
        self,
        topics: Sequence[Topic | Broken],
        first: str,
        *,
        make_lab: Callable[[Topic], LiveLab],
        serving: Callable[[], str] | None = None,
        painted: Callable[[], None] = lambda: None,
        config: Config | None = None,
        formatting: Formatting | None = None,
        attaching: Attaching | None = None,
    ) -> None:
        """``make_lab`` returns a topic's lab and starts it; it is called once per topic, in a thread, and may block.

        ``serving`` returns the address of the first tab's lab before its panes are mounted; empty until it serves.
        ``painted`` is called after the first paint of a tab with its lab. ``attaching`` attaches further servers.
        """
        super().__init__()
        self._attaching, self._serving, self._painted = attaching, serving, painted
        self._config = config or Config()
        self._tabs = TopicTabs(self, TabOrder(topics), first, make_lab, formatting or Formatting(), self._filled)
        self._stolen = {c.tab_action for c in commands.COMMANDS if not STOLEN.isdisjoint(self._keys_of(c))}
        if self._config.theme in self.available_themes and not os.environ.get("TEXTUAL_THEME"):
            self.theme = str(self._config.theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, then the filter of control characters."""
        return [*super().get_line_filters(), CONTROL_FILTER]

    def compose(self) -> ComposeResult:
        """Compose empty tabs; each is filled when it is first shown."""
        yield from self._tabs.compose(self._serving)
        yield KeyFooter(self._relabelled)

    def on_mount(self) -> None:
        """Bind the keys, and report what is wrong with the configuration."""
        self.query_one("ContentTabs").can_focus = False  # digits switch tabs; the keyboard stays in the panes
        self.set_keymap(dict(self._config.keys))
        for command in commands.COMMANDS:
            if keys := self._config.keys.get(command.id):
                # Textual drops a letter's remapping while an input that consumes the letter has the focus.
                self.bind(keys, command.action, description=command.label, show=bool(command.footer))
        problems = list(self._config.problems)
        if self._config.theme and self._config.theme not in self.available_themes:
            problems.append(f"unknown theme {self._config.theme!r}")
        for problem in problems:
            self.notify(problem, title="configuration", severity="warning", markup=False)

    # Tabs

    def on_resize(self, event: events.Resize) -> None:
        """Shorten the tabs' titles to fit the width."""
        self._tabs.entitle(event.size.width)

    @property
    def tab(self) -> TopicTab | None:
        """The body of the tab that is shown."""
        return self._tabs.shown

    @property
    def tab_titles(self) -> list[tuple[int, str, str]]:
        """Number, title and summary of each tab."""
        return self._tabs.titles

    @property
    def models(self) -> Sequence[str]:
        """The current tab's models that this system can run."""
        return self.tab.topic.usable_models if self.tab is not None else ()

    @property
    def experiments(self) -> list[tuple[str, str]]:
        """Name and question of each experiment of the tab that is shown."""
        found = self.tab.experiments_and_lanes.experiments if self.tab is not None else ()
        return [(experiment.name, experiment.question) for experiment in found]

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """Fill a tab that is shown for the first time, and put the cursor into its console."""
        self._tabs.activated(event.pane)

    def _filled(self, has_lab: bool) -> None:
        if has_lab:
            self.call_after_refresh(self._painted)
        self.hand_on()

    @property
    def keys_wait(self) -> bool:
        """Keys wait while the tab that is shown has no body yet."""
        return super().keys_wait or self._tabs.awaited

    def action_show_tab(self, number: int) -> None:
        """Show a tab by its number."""
        self._tabs.show(number)

    # Attachments

    def action_attach(self) -> None:
        """Begin the command that attaches a server."""
        if self.tab is not None:
            self.tab.console.prompt.begin(":attach ")
            self.tab.panes.go("console")

    async def on_app_command_entered(self, event: AppCommandEntered) -> None:
        """Perform one of the console's commands that concern the app."""
        from netlab.ui.entered_commands import EnteredCommands  # late: first paint does not need it

        event.stop()
        try:
            await EnteredCommands(self, self._tabs, self._attaching).run(event)
        except LabError as error:
            if self.tab is not None:
                self.tab.console.say(str(error), error=True)

    # Commands

    def action_tab(self, action: str, *arguments: object) -> None:
        """Run one of the tab's actions."""
        if self.tab is not None:
            self.tab.actions.do(action, *arguments)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a command is available. True: available; None: disabled; False: hidden."""
        if action == "tab":
            if parameters[0] == "end_waiting" and self._text_selected:
                return False  # ctrl+c copies it
            if parameters[0] in self._stolen and isinstance(self.screen_stack[0].focused, Input):
                return False
            return self.tab.actions.offers(str(parameters[0])) if self.tab is not None else False
        if action == "show_tab":
            return isinstance(parameters[0], int) and self._tabs.order.numbered(parameters[0]) is not None
        return super().check_action(action, parameters)

    def why_not(self, key: str) -> str:
        """Why a command of the tab is not available in it."""
        return self.tab.actions.why_not(key, self._keys_of) if self.tab is not None else ""

    @property
    def _text_selected(self) -> bool:
        focused = self.focused
        return bool(isinstance(focused, Input) and focused.selected_text) or bool(self.screen.get_selected_text())

    def can(self, command: commands.AppCommand) -> bool:
        """Whether a command is available now."""
        action = command.tab_action
        return action is None or (self.tab is not None and bool(self.tab.actions.offers(action)))

    def _relabelled(self, binding: Binding) -> Binding:
        command = next((command for command in commands.COMMANDS if command.action == binding.action), None)
        if command is None or command.tab_action is None or self.tab is None:
            return binding
        label = self.tab.actions.label(command.tab_action)
        return binding if label is None else replace(binding, description=label)

    def do(self, command: commands.AppCommand) -> None:
        """Do what the command's key does."""
        if command.tab_action is not None:
            self.call_later(self.action_tab, command.tab_action)
        else:
            self.call_later(self.run_action, command.action)

    def do_in(self, pane: str, widget: Widget, action: str) -> None:
        """Go to a pane, and run the action of one of its own keys."""
        if self.tab is not None:
            self.tab.panes.go(pane, partial(self.call_later, self.run_action, action, widget))

    @property
    def keymap(self) -> Mapping[str, str]:
        """The keys that the user configured, by command id."""
        return self._config.keys

    def key_of(self, command: commands.AppCommand) -> str:
        """The command's current key."""
        return self._keys_of(command)[0]

    def _keys_of(self, command: commands.AppCommand) -> list[str]:
        return self._config.keys.get(command.id, command.key).split(",")

    def action_focus_next(self) -> None:
        """Tab: move within the pane, then to the next one."""
        self._step(1, super().action_focus_next)

    def action_focus_previous(self) -> None:
        """Shift+tab: the opposite direction."""
        self._step(-1, super().action_focus_previous)

    def _step(self, direction: int, otherwise: Callable[[], None]) -> None:
        if self.tab is not None and len(self.screen_stack) == 1:
            self.tab.panes.step(direction)
        else:
            otherwise()

    def paste_target(self) -> Widget | None:
        """A paste outside an input goes to the console."""
        typed_into = self.focused is not None and self.focused.check_consume_key("a", "a")
        if self.tab is None or typed_into:
            return None
        if len(self.screen_stack) > 1:
            self.notify(
                "You cannot paste here. Press esc and paste again: the text goes to the console.", title="paste"
            )
            return None
        self.tab.panes.go("console")
        return self.tab.console.prompt

    async def action_leave(self) -> None:
        """Quit; ask first if something would be lost."""
        from netlab.ui.leaving import leave  # late: first paint does not need it

        leave(self, [tab.lab for tab in self._tabs.bodies.values()])

    def action_jump(self) -> None:
        """Show a letter on every pane and tab."""
        from netlab.ui.keys.jump import Jump  # late: first paint does not need it

        if self.tab is not None and len(self.screen_stack) == 1:
            self.push_screen(Jump([*self.tab.panes.targets(), *self._tabs.jump_targets()]))

    def action_help(self) -> None:
        """Help for the focused pane."""
        from netlab.ui.keys.help import Help, help_lines  # late: first paint does not need it

        tab = self.tab
        if tab is None:
            return
        pane = tab.panes.pane_of(self.focused) or "console"
        lines = partial(
            help_lines, tab.topic, pane, self.screen.active_bindings, self._config.keys,
            list(tab.completion.operations.values()), tab.completion.commands,
        )  # fmt: skip
        self.push_screen(Help(lines, f"help: {tab.topic.title}, {pane}"))
