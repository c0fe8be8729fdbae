"""Which of a tab's actions are available now, what each would do, and why a tab lacks one."""

from __future__ import annotations

from collections.abc import Callable

from netlab.lab.state import Phase
from netlab.ui.keys.commands import COMMANDS, AppCommand
from netlab.ui.tab.experiments_and_lanes import ExperimentsAndLanes
from netlab.ui.tab.panes import LabPanes

_WITHOUT = {
    "toggle_lanes": "no swim lanes: UDP has no connections to wait for",
    "show_experiments": "no experiments come with this topic",
    "show_then_now": "no then/now: it is about the tutorial's servers",
    "edit_server": "no recipe here: edit your server where its file is",
}
"""Why a tab lacks an action."""
_LOOKING = ("show_experiments", "toggle_lanes")


class OfferedActions:
    """What a tab offers, by the names of the actions. It changes nothing."""

    def __init__(self, tab: LabPanes, experiments_and_lanes: ExperimentsAndLanes) -> None:
        self._tab, self._experiments_and_lanes = tab, experiments_and_lanes
        self._live, self._lab = tab.live, tab.lab

    @property
    def serving(self) -> bool:
        """Whether the server is serving or starting."""
        return self._lab.state.phase in (Phase.SERVING, Phase.STARTING)

    @property
    def waiting(self) -> bool:
        """Whether a call of the current client waits, or an experiment or a load runs."""
        current = self._lab.current
        return self._live.running or self._live.loading or (current is not None and current.busy is not None)

    def label(self, action: str) -> str | None:
        """What the action would do now, in a word; None if that never changes. The footer shows none that is empty."""
        if action == "choose_model":
            return "" if self._tab.topic.attached else None
        if action == "end_waiting":
            return "stop experiment" if self._live.running else "stop load" if self._live.loading else "abandon"
        if action != "toggle_server":
            return None
        if self._lab.state.phase is Phase.STOPPING:
            return "kill"
        return "stop" if self.serving else "start"

    def offers(self, action: str) -> bool | None:
        """True: available; None: disabled; False: hidden."""
        if action == "close_client":
            return True if self._lab.current is not None else None
        if action == "clear_faults":
            return True if self._lab.wire.faults else None
        if action in ("previous_client", "next_client"):
            return True if len(self._lab.sessions) > 1 else None
        if action in ("show_then_now", "edit_server") and self._tab.topic.attached:
            return False
        if action in ("toggle_server", "choose_model") and self._live.running:
            return None  # the running experiment decides about server and model
        if action == "choose_model" and self._live.loading:
            return None  # the load is on this one, or decides itself
        if action == "end_waiting":
            return self.waiting
        if action in _LOOKING:
            return self._experiments_and_lanes.offers(action)
        return True

    def why_not(self, key: str, keys_of: Callable[[AppCommand], list[str]]) -> str:
        """Why a key's action is hidden in this tab; empty if it is not, or no reason is known."""
        actions = {each.tab_action for each in COMMANDS if key in keys_of(each)}
        return next((_WITHOUT[each] for each in _WITHOUT if each in actions and self.offers(each) is False), "")
