"""The app: a tab for each topic, the footer, and the routing of keys. It only arranges; the tabs do the work.

A tab's body is mounted, and its lab is made and started, when the tab is first shown. The body's modules are imported
then, not before the first paint: that import takes as long as Textual's own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.content import Content
from textual.filter import LineFilter
from textual.widget import Widget
from textual.widgets import Input, Static, Tab, TabbedContent, TabPane

from netlab.lab.errors import LabError
from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken
from netlab.ui.keys import commands
from netlab.ui.keys.footer import KeyFooter
from netlab.ui.keys.keymap import Config
from netlab.ui.keys.type_ahead import TypeAhead
from netlab.ui.tab_titles import ANY_WIDTH, TabOrder
from netlab.ui.terminal.start_line import StartLine
from netlab.ui.terminal.terminal_app import TerminalApp
from netlab.ui.widgets.control_filter import CONTROL_FILTER
from netlab.ui.widgets.formatting import Formatting
from netlab.ui.widgets.notices import CSS as NOTICES

if TYPE_CHECKING:
    from netlab.ui.attachment_tabs import Attaching, AttachmentTabs
    from netlab.ui.keys.jump import JumpTarget
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
    TabbedContent { height: 1fr; }
    ContentSwitcher { height: 1fr; }
    TabPane { height: 1fr; padding: 0; }
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
        self._order = TabOrder(topics)
        self._attaching = attaching
        self._first = first
        self._config = config or Config()
        self._formatting = formatting or Formatting()
        self._make_lab, self._serving, self._painted = make_lab, serving, painted
        self._stolen = {c.tab_action for c in commands.COMMANDS if not STOLEN.isdisjoint(self._keys_of(c))}
        self._topic_tabs: dict[str, TopicTab] = {}
        self._unseen = {topic.name for topic in topics if isinstance(topic, Topic)}
        """Topics whose tabs have no body yet."""
        self._filling: set[str] = set()
        self._tabs: TabbedContent | None = None
        if self._config.theme in self.available_themes and not os.environ.get("TEXTUAL_THEME"):
            self.theme = str(self._config.theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, then the filter of control characters."""
        return [*super().get_line_filters(), CONTROL_FILTER]

    def compose(self) -> ComposeResult:
        """Compose empty tabs; each is filled when it is first shown."""
        with TabbedContent(initial=f"tab-{self._first}") as self._tabs:
            for topic, title in zip(self._order.topics, self._order.titles(ANY_WIDTH), strict=True):
                with TabPane(title, id=f"tab-{topic.name}"):
                    if isinstance(topic, Broken):
                        yield Static(_broken_text(topic), markup=False, classes="broken")
                    elif topic.name == self._first and self._serving is not None:
                        yield StartLine(self._serving, topic.models[0])
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
        self._entitle(event.size.width)

    def _entitle(self, width: int) -> None:
        for topic, title in zip(self._order.topics, self._order.titles(width), strict=True):
            for tab in self.query(f"#--content-tab-tab-{topic.name}").results(Tab):
                if tab.label_text != title:
                    tab.label = Content(title)

    @property
    def tab(self) -> TopicTab | None:
        """The body of the tab that is shown."""
        return self._topic_tabs.get(self._seen)

    @property
    def tab_titles(self) -> list[tuple[int, str, str]]:
        """Number, title and summary of each tab."""
        return [(self._order.number(topic), *_titled(topic)) for topic in self._order.topics]

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
        name = (event.pane.id or "").removeprefix("tab-")
        topic = self._order.named(name)
        for other in self._topic_tabs.values():
            other.watch_lab(other is self._topic_tabs.get(name))
        if name in self._topic_tabs:
            self._topic_tabs[name].panes.go("console")
        elif isinstance(topic, Topic) and name not in self._filling:
            self._filling.add(name)
            self.run_worker(self._fill(topic, event.pane), group=f"fill {name}", exit_on_error=True)

    async def _fill(self, topic: Topic, pane: TabPane) -> None:
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()  # the panes' imports would delay the first paint
        making = asyncio.create_task(asyncio.to_thread(self._make_lab, topic))
        await asyncio.sleep(0)  # let the thread start before the import holds the interpreter
        from netlab.ui.tab.tab import TopicTab

        try:
            tab = TopicTab(await making, self._formatting)
        except Exception as error:  # noqa: BLE001 - any error while a lab is made belongs on its tab
            await pane.mount(Static(_broken_text(Broken(topic.name, str(error))), markup=False, classes="broken"))
        else:
            if not pane.is_attached:  # the user left the app meanwhile
                return
            with self.batch_update():
                await pane.mount(tab)
                await pane.query(StartLine).remove()
            self._topic_tabs[topic.name] = tab
            self.call_after_refresh(self._painted)
            if self.tab is tab:
                tab.panes.go("console")
            else:
                tab.watch_lab(False)
        self._unseen.discard(topic.name)
        self.hand_on()

    @property
    def keys_wait(self) -> bool:
        """Keys wait while the tab that is shown has no body yet."""
        return super().keys_wait or self._seen in self._unseen

    @property
    def _seen(self) -> str:
        """The name of the tab that is shown; before that, the name of the first tab."""
        return (self._tabs.active if self._tabs is not None else "").removeprefix("tab-") or self._first

    def action_show_tab(self, number: int) -> None:
        """Show a tab by its number."""
        topic = self._order.numbered(number)
        if self._tabs is not None and topic is not None:
            self._tabs.active = f"tab-{topic.name}"

    # Attachments

    def action_attach(self) -> None:
        """Begin the command that attaches a server."""
        if self.tab is not None:
            self.tab.console.prompt.begin(":attach ")
            self.tab.panes.go("console")

    async def on_app_command_entered(self, event: AppCommandEntered) -> None:
        """Attach a server, or detach the one of this tab."""
        event.stop()
        try:
            if event.name == "attach":
                await self._attach_server(event.rest)
            elif event.name == "detach":
                await self._detach_server(event.topic)
            else:
                self._edit_server(event.topic, event.rest)
        except LabError as error:
            if self.tab is not None:
                self.tab.console.say(str(error), error=True)

    @property
    def _attachments(self) -> AttachmentTabs:
        from netlab.ui.attachment_tabs import AttachmentTabs  # late: first paint does not need it

        if self._attaching is None:
            raise LabError("nothing can be attached here", "netlab attach HOST:PORT can")
        return AttachmentTabs(self, self._order, self._attaching)

    async def _attach_server(self, text: str) -> None:
        topic = await self._attachments.add(text)
        self._unseen.add(topic.name)
        self._entitle(self.size.width)
        self.action_show_tab(self._order.number(topic))

    async def _detach_server(self, topic: Topic) -> None:
        if not topic.attached:
            raise LabError(f"{topic.title} is no attachment", "s stops its server")
        self._topic_tabs.pop(topic.name, None)
        self._filling.discard(topic.name)
        await self._attachments.remove(topic, self._topic_tabs)
        self._entitle(self.size.width)

    def _edit_server(self, topic: Topic, folder: str) -> None:
        from netlab.ui.editing import edit_server  # late: few need it

        if topic.attached:
            raise LabError("an attachment's code is not known here", "edit it where it is")
        tab = self._topic_tabs[topic.name]
        self.run_worker(edit_server(self, tab, folder), group="edit", exclusive=True)

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
            return isinstance(parameters[0], int) and self._order.numbered(parameters[0]) is not None
        return super().check_action(action, parameters)

    @property
    def _text_selected(self) -> bool:
        focused = self.focused
        return bool(isinstance(focused, Input) and focused.selected_text) or bool(self.screen.get_selected_text())

    def can(self, command: commands.AppCommand) -> bool:
        """Whether a command is available now."""
        if command.tab_action is None:
            return True
        return self.tab is not None and bool(self.tab.actions.offers(command.tab_action))

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

        leave(self, [tab.lab for tab in self._topic_tabs.values()])

    def action_jump(self) -> None:
        """Show a letter on every pane and tab."""
        from netlab.ui.keys.jump import Jump  # late: first paint does not need it

        if self.tab is not None and len(self.screen_stack) == 1:
            self.push_screen(Jump([*self.tab.panes.targets(), *self._tab_targets()]))

    def _tab_targets(self) -> Iterator[JumpTarget]:
        from netlab.ui.keys.jump import JumpTarget

        for topic, tab in zip(self._order.topics, self.query("ContentTab"), strict=False):
            number = self._order.number(topic)
            yield JumpTarget(str(number), tab.region.offset, partial(self.action_show_tab, number))

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


def _titled(topic: Topic | Broken) -> tuple[str, str]:
    return (topic.name, topic.reason) if isinstance(topic, Broken) else (topic.title, topic.summary)


def _broken_text(topic: Broken) -> str:
    return f"The topic {topic.name} could not be loaded.\n\n{topic.reason}\n\nThe other tabs still work."
