"""The topics' tabs: their titles, and their bodies, each mounted when its tab is first shown.

Then its lab is made and started, and the body's modules are imported, not before the first paint: that import takes as
long as Textual's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static, Tab, TabbedContent, TabPane

from netlab.topics.contract import Topic
from netlab.topics.discovery import Broken
from netlab.ui.tab_titles import ANY_WIDTH, TabOrder
from netlab.ui.terminal.start_line import StartLine
from netlab.ui.widgets.formatting import Formatting

if TYPE_CHECKING:
    from netlab.ui.keys.jump import JumpTarget
    from netlab.ui.lab_thread import LiveLab
    from netlab.ui.tab.tab import TopicTab

TAB = "tab-"
"""The id of a topic's tab is this and the topic's name."""


class TopicTabs:
    """One tab for each topic, in the order of the bar. Only the tab that is shown follows its lab."""

    def __init__(
        self,
        app: App[None],
        order: TabOrder,
        first: str,
        make_lab: Callable[[Topic], LiveLab],
        formatting: Formatting,
        filled: Callable[[bool], None],
    ) -> None:
        """``first`` is the name of the tab to begin with. ``filled`` is called when a tab has its body.

        Its argument says whether the body has a lab; if not, the body says why.
        """
        self._app, self._first = app, first
        self.order = order
        self._make_lab, self._formatting, self._filled = make_lab, formatting, filled
        self.bodies: dict[str, TopicTab] = {}
        """The bodies of the tabs that have been shown, by topic."""
        self._unseen = {topic.name for topic in order.topics if isinstance(topic, Topic)}
        """Topics whose tabs have no body yet."""
        self._filling: set[str] = set()
        self._tabs: TabbedContent | None = None

    def compose(self, serving: Callable[[], str] | None) -> ComposeResult:
        """Compose empty tabs. ``serving`` returns where the first tab's lab serves, to be shown until it is filled."""
        with TabbedContent(initial=TAB + self._first) as self._tabs:
            for topic, title in zip(self.order.topics, self.order.titles(ANY_WIDTH), strict=True):
                with TabPane(title, id=TAB + topic.name):
                    if isinstance(topic, Broken):
                        yield _why(topic)
                    elif topic.name == self._first and serving is not None:
                        yield StartLine(serving, topic.models[0])

    # Titles and numbers

    def entitle(self, width: int) -> None:
        """Shorten the titles to fit the width."""
        for topic, title in zip(self.order.topics, self.order.titles(width), strict=True):
            for tab in self._app.query(f"#--content-tab-{TAB}{topic.name}").results(Tab):
                if tab.label_text != title:
                    tab.label = Content(title)

    @property
    def titles(self) -> list[tuple[int, str, str]]:
        """Number, title and summary of each tab."""
        return [(self.order.number(topic), *_titled(topic)) for topic in self.order.topics]

    def jump_targets(self) -> Iterator[JumpTarget]:
        """The tabs' titles on the screen, each with its number as the letter."""
        from netlab.ui.keys.jump import JumpTarget  # late: first paint does not need it

        for topic, tab in zip(self.order.topics, self._app.query("ContentTab"), strict=False):
            number = self.order.number(topic)
            yield JumpTarget(str(number), tab.region.offset, partial(self.show, number))

    # The tab that is shown

    @property
    def shown(self) -> TopicTab | None:
        """The body of the tab that is shown."""
        return self.bodies.get(self._seen)

    @property
    def awaited(self) -> bool:
        """Whether the tab that is shown has no body yet."""
        return self._seen in self._unseen

    @property
    def _seen(self) -> str:
        """The name of the tab that is shown; before that, the name of the first tab."""
        return (self._tabs.active if self._tabs is not None else "").removeprefix(TAB) or self._first

    def show(self, number: int) -> None:
        """Show a tab by its number."""
        topic = self.order.numbered(number)
        if self._tabs is not None and topic is not None:
            self._tabs.active = TAB + topic.name

    # Bodies

    def activated(self, pane: TabPane) -> None:
        """Fill a tab that is shown for the first time, and put the cursor into its console."""
        name = (pane.id or "").removeprefix(TAB)
        topic = self.order.named(name)
        for other in self.bodies.values():
            other.watch_lab(other is self.bodies.get(name))
        if name in self.bodies:
            self.bodies[name].panes.go("console")
        elif isinstance(topic, Topic) and name not in self._filling:
            self._filling.add(name)
            self._app.run_worker(self._fill(topic, pane), group=f"fill {name}", exit_on_error=True)

    async def _fill(self, topic: Topic, pane: TabPane) -> None:
        painted = asyncio.Event()
        self._app.call_after_refresh(painted.set)
        await painted.wait()  # the panes' imports would delay the first paint
        making = asyncio.create_task(asyncio.to_thread(self._make_lab, topic))
        await asyncio.sleep(0)  # let the thread start before the import holds the interpreter
        from netlab.ui.tab.tab import TopicTab

        try:
            tab = TopicTab(await making, self._formatting)
        except Exception as error:  # noqa: BLE001 - any error while a lab is made belongs on its tab
            await pane.mount(_why(Broken(topic.name, str(error))))
        else:
            if not pane.is_attached:  # the user left the app meanwhile
                return
            await self._mount(tab, pane)
        self._unseen.discard(topic.name)
        self._filled(topic.name in self.bodies)

    async def _mount(self, tab: TopicTab, pane: TabPane) -> None:
        with self._app.batch_update():
            await pane.mount(tab)
            await pane.query(StartLine).remove()
        self.bodies[tab.topic.name] = tab
        if self.shown is tab:
            tab.panes.go("console")
        else:
            tab.watch_lab(False)

    def added(self, topic: Topic) -> None:
        """A tab was added for a topic: keys wait for its body when it is shown."""
        self._unseen.add(topic.name)

    def forget(self, topic: Topic) -> None:
        """A topic's tab goes: it has no body any more."""
        self.bodies.pop(topic.name, None)
        self._filling.discard(topic.name)


def _titled(topic: Topic | Broken) -> tuple[str, str]:
    return (topic.name, topic.reason) if isinstance(topic, Broken) else (topic.title, topic.summary)


def _why(topic: Broken) -> Static:
    text = f"The topic {topic.name} could not be loaded.\n\n{topic.reason}\n\nThe other tabs still work."
    return Static(text, markup=False, classes="broken")
