"""An input that runs its own keys in order, however fast one types or pastes."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input


class TypeAheadInput(Input):
    """Runs the actions of its own keys at once.

    Textual runs them only when the key has bubbled up to the app. By then the next letters would already be in the line
    that ctrl+u clears or enter submits.
    """

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)
    """How far its text reaches. Textual would lay out the whole screen at each key that changes it."""

    async def _on_key(self, event: events.Key) -> None:
        bound = None if event.is_printable else self.screen.active_bindings.get(event.key)
        if bound is None or bound.node is not self or not bound.enabled:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        await self.acts(bound.binding.action)

    async def acts(self, action: str) -> None:
        """Run the action of a key that was pressed."""
        await self.run_action(action)
