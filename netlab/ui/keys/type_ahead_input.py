"""An input whose own keys act in their turn, however fast one types or pastes."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class OrderlyInput(Input):
    """Runs what its keys are bound to at once.

    Textual would do that when the key has gone all the way up to the app; the letters behind it would be in the line
    before ctrl+u clears it, or enter hands it over.
    """

    async def _on_key(self, event: events.Key) -> None:
        bound = None if event.is_printable else self.screen.active_bindings.get(event.key)
        if bound is None or bound.node is not self or not bound.enabled:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        await self.acts(bound.binding.action)

    async def acts(self, action: str) -> None:
        """One of its keys was pressed."""
        await self.run_action(action)
