"""The app: a tab for each topic, the footer, and who gets which key. It only arranges; the tabs do the work.

A tab's body is mounted, and its lab made and started, when it is first seen. What a body is made of is imported then,
not before the first paint: it takes as long as Textual itself.
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

from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken
from netlab.ui.keys import commands
from netlab.ui.keys.footer import KeyLine
from netlab.ui.keys.keymap import Config
from netlab.ui.keys.type_ahead import KeyTurns
from netlab.ui.tab_titles import fitting
from netlab.ui.terminal.start_line import StartLine
from netlab.ui.terminal.terminal_app import TerminalApp
from netlab.ui.widgets.control_filter import GUARD
from netlab.ui.widgets.formatting import Presentation
from netlab.ui.widgets.notices import CSS as NOTICES

if TYPE_CHECKING:
    from netlab.ui.keys.jump import Target
    from netlab.ui.lab_thread import LiveLab
    from netlab.ui.tab.tab import BenchPane


STOLEN = frozenset({"slash", "backslash", "at", "minus", "plus", "underscore"})
"""Keys that Textual 8.2.8 takes for bindings although an input has the focus: `textual.keys.key_to_character` does not
know their characters, so no input is asked whether it consumes them."""


def _command_provider() -> type[Provider]:
    from netlab.ui.palette import CommandProvider  # late: only the palette needs it

    return CommandProvider


class NetlabApp(TerminalApp, KeyTurns):
    """Eight topics, one lab each."""

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
        presentation: Presentation | None = None,
    ) -> None:
        """``make_lab`` gives the lab of a topic, starting; it is called once for each, in a thread, and may block.

        ``serving`` says where the first tab's lab serves, before its panes are there; empty while it does not.
        ``painted`` is called after the first paint of a tab with its lab.
        """
        super().__init__()
        self._topics = topics
        self._first = first
        self._config = config or Config()
        self._presentation = presentation or Presentation()
        self._make_lab, self._serving, self._painted = make_lab, serving, painted
        self._stolen = {c.bench_action for c in commands.COMMANDS if not STOLEN.isdisjoint(self._keys_of(c))}
        self._benches: dict[str, BenchPane] = {}
        self._unseen = {topic.name for topic in topics if isinstance(topic, Topic)}
        """Topics whose tabs have no bench yet."""
        self._filling: set[str] = set()
        self._tabs: TabbedContent | None = None
        if self._config.theme in self.available_themes and not os.environ.get("TEXTUAL_THEME"):
            self.theme = str(self._config.theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, and last the guard."""
        return [*super().get_line_filters(), GUARD]

    def compose(self) -> ComposeResult:
        """Empty tabs; each is filled when it is first seen."""
        with TabbedContent(initial=f"tab-{self._first}") as self._tabs:
            for number, topic in enumerate(self._topics, 1):
                with TabPane(self._tab_title(number, topic), id=f"tab-{topic.name}"):
                    if isinstance(topic, Broken):
                        yield Static(_told(topic), markup=False, classes="broken")
                    elif topic.name == self._first and self._serving is not None:
                        yield StartLine(self._serving, topic.models[0])
        yield KeyLine(self._relabelled)

    @staticmethod
    def _tab_title(number: int, topic: Topic | Broken) -> str:
        return f"{number} {topic.name} ✗" if isinstance(topic, Broken) else f"{number} {topic.title}"

    def on_mount(self) -> None:
        """Give the keys their places, and tell what is wrong with the configuration."""
        self.query_one("ContentTabs").can_focus = False  # digits switch tabs; the keyboard stays in the panes
        self.set_keymap(dict(self._config.keys))
        for command in commands.COMMANDS:
            if keys := self._config.keys.get(command.id):
                # Textual forgets a letter's remapping while an input, which consumes the letter, has the focus.
                self.bind(keys, command.action, description=command.label, show=bool(command.footer))
        problems = list(self._config.problems)
        if self._config.theme and self._config.theme not in self.available_themes:
            problems.append(f"there is no theme {self._config.theme!r}")
        for problem in problems:
            self.notify(problem, title="configuration", severity="warning", markup=False)

    # Tabs

    def on_resize(self, event: events.Resize) -> None:
        """Shorten the tabs' titles to the width."""
        titles = [self._tab_title(number, topic) for number, topic in enumerate(self._topics, 1)]
        for topic, title in zip(self._topics, fitting(titles, event.size.width), strict=True):
            for tab in self.query(f"#--content-tab-tab-{topic.name}").results(Tab):
                if tab.label_text != title:
                    tab.label = Content(title)

    @property
    def bench(self) -> BenchPane | None:
        """The bench of the tab that is seen."""
        return self._benches.get(self._seen)

    @property
    def tab_titles(self) -> list[tuple[str, str]]:
        """Title and summary of each tab."""
        return [
            (topic.name, topic.reason) if isinstance(topic, Broken) else (topic.title, topic.summary)
            for topic in self._topics
        ]

    @property
    def models(self) -> Sequence[str]:
        """The models of the current tab that this system can run."""
        return self.bench.topic.usable_models if self.bench is not None else ()

    @property
    def experiments(self) -> list[tuple[str, str]]:
        """Name and question of each experiment of the tab that is seen."""
        found = self.bench.observing.experiments if self.bench is not None else ()
        return [(experiment.name, experiment.question) for experiment in found]

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """Fill a tab that is seen for the first time, and put the cursor into its console."""
        name = (event.pane.id or "").removeprefix("tab-")
        topic = next(topic for topic in self._topics if topic.name == name)
        for other in self._benches.values():
            other.watch_lab(other is self._benches.get(name))
        if name in self._benches:
            self._benches[name].panes.go("console")
        elif isinstance(topic, Topic) and name not in self._filling:
            self._filling.add(name)
            self.run_worker(self._fill(topic, event.pane), group=f"fill {name}", exit_on_error=True)

    async def _fill(self, topic: Topic, pane: TabPane) -> None:
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()  # what the panes import would keep the first paint waiting
        making = asyncio.create_task(asyncio.to_thread(self._make_lab, topic))
        await asyncio.sleep(0)  # the thread begins before the import holds the interpreter
        from netlab.ui.tab.tab import BenchPane

        try:
            bench = BenchPane(await making, self._presentation)
        except Exception as error:  # noqa: BLE001 - whatever keeps a lab from being made belongs on its tab
            await pane.mount(Static(_told(Broken(topic.name, str(error))), markup=False, classes="broken"))
        else:
            if not pane.is_attached:  # the app was left meanwhile
                return
            with self.batch_update():
                await pane.mount(bench)
                await pane.query(StartLine).remove()
            self._benches[topic.name] = bench
            self.call_after_refresh(self._painted)
            if self.bench is bench:
                bench.panes.go("console")
            else:
                bench.watch_lab(False)
        self._unseen.discard(topic.name)
        self.hand_on()

    @property
    def keys_wait(self) -> bool:
        """Keys wait while the tab that is seen has no bench yet."""
        return super().keys_wait or self._seen in self._unseen

    @property
    def _seen(self) -> str:
        """The name of the tab that is seen; before any is, of the first that will be."""
        return (self._tabs.active if self._tabs is not None else "").removeprefix("tab-") or self._first

    def action_show_tab(self, number: int) -> None:
        """Show a tab by its number."""
        if self._tabs is not None and number <= len(self._topics):
            self._tabs.active = f"tab-{self._topics[number - 1].name}"

    # Commands

    def action_bench(self, action: str, *arguments: object) -> None:
        """Have the bench do something."""
        if self.bench is not None:
            self.bench.actions.do(action, *arguments)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a command can be had now: True, not now (None), or not there (False)."""
        if action == "bench":
            if parameters[0] == "end_waiting" and self._text_selected:
                return False  # it is copied
            if parameters[0] in self._stolen and isinstance(self.screen_stack[0].focused, Input):
                return False
            return self.bench.actions.offers(str(parameters[0])) if self.bench is not None else False
        if action == "show_tab":
            return isinstance(parameters[0], int) and parameters[0] <= len(self._topics)
        return super().check_action(action, parameters)

    @property
    def _text_selected(self) -> bool:
        focused = self.focused
        return bool(isinstance(focused, Input) and focused.selected_text) or bool(self.screen.get_selected_text())

    def can(self, command: commands.Command) -> bool:
        """Whether the palette offers it now."""
        if command.bench_action is None:
            return True
        return self.bench is not None and bool(self.bench.actions.offers(command.bench_action))

    def _relabelled(self, binding: Binding) -> Binding:
        command = next((command for command in commands.COMMANDS if command.action == binding.action), None)
        if command is None or command.bench_action is None or self.bench is None:
            return binding
        return replace(binding, description=self.bench.actions.label(command.bench_action) or binding.description)

    def do(self, command: commands.Command) -> None:
        """What its key does."""
        if command.bench_action is not None:
            self.call_later(self.action_bench, command.bench_action)
        else:
            self.call_later(self.run_action, command.action)

    def do_in(self, pane: str, widget: Widget, action: str) -> None:
        """Go to a pane, and do there what one of its own keys does."""
        if self.bench is not None:
            self.bench.panes.go(pane, partial(self.call_later, self.run_action, action, widget))

    @property
    def keymap(self) -> Mapping[str, str]:
        """The keys that the person chose, by the ids of what they do."""
        return self._config.keys

    def key_of(self, command: commands.Command) -> str:
        """The key that it has now."""
        return self._keys_of(command)[0]

    def _keys_of(self, command: commands.Command) -> list[str]:
        return self._config.keys.get(command.id, command.key).split(",")

    def action_focus_next(self) -> None:
        """Tab: within the pane, then to the next one."""
        self._step(1, super().action_focus_next)

    def action_focus_previous(self) -> None:
        """Shift+tab: the other way."""
        self._step(-1, super().action_focus_previous)

    def _step(self, direction: int, otherwise: Callable[[], None]) -> None:
        if self.bench is not None and len(self.screen_stack) == 1:
            self.bench.panes.step(direction)
        else:
            otherwise()

    def paste_target(self) -> Widget | None:
        """What is pasted anywhere but into an input goes to the console."""
        typed_into = self.focused is not None and self.focused.check_consume_key("a", "a")
        if self.bench is None or typed_into:
            return None
        if len(self.screen_stack) > 1:
            self.notify("Nothing here takes text. Press esc, then paste: it goes to the console.", title="paste")
            return None
        self.bench.panes.go("console")
        return self.bench.console.prompt

    async def action_leave(self) -> None:
        """Quit; ask first where something would be lost."""
        from netlab.ui.leaving import lost_with
        from netlab.ui.widgets.chooser import Choice, Chooser  # late: first paint does not need them

        lost = lost_with([bench.lab for bench in self._benches.values()])
        if not lost:
            self.exit()
            return
        choices = [Choice("leave", "leave", lost), Choice("stay", "stay", ":save FILE keeps a capture")]

        def chosen(answer: tuple[str, str] | None) -> None:
            if answer == ("enter", "leave"):
                self.exit()

        self.push_screen(Chooser("leave netlab?", choices), chosen)

    def action_jump(self) -> None:
        """Show a letter on every pane and tab."""
        from netlab.ui.keys.jump import Jump  # late: first paint does not need it

        if self.bench is not None and len(self.screen_stack) == 1:
            self.push_screen(Jump([*self.bench.panes.targets(), *self._tab_targets()]))

    def _tab_targets(self) -> Iterator[Target]:
        from netlab.ui.keys.jump import Target

        tabs = self.query("ContentTab")
        for number, tab in enumerate(tabs, 1):
            yield Target(str(number), tab.region.offset, partial(self.action_show_tab, number))

    def action_help(self) -> None:
        """Help for the focused pane."""
        from netlab.ui.keys.help import Help, help_lines  # late: first paint does not need it

        bench = self.bench
        if bench is None:
            return
        pane = bench.panes.pane_of(self.focused) or "console"
        lines = partial(
            help_lines, bench.topic, pane, self.screen.active_bindings, self._config.keys,
            list(bench.completion.operations.values()), bench.completion.commands,
        )  # fmt: skip
        self.push_screen(Help(lines, f"help: {bench.topic.title}, {pane}"))


def _told(topic: Broken) -> str:
    return f"The topic {topic.name} does not load.\n\n{topic.reason}\n\nThe other tabs go on."
