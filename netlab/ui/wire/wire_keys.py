"""The keys of the wire pane."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from netlab.ui.keys.commands import clear_key

KEYS: list[BindingType] = [
    Binding("a", "want('release')", "release", id="wire.release", tooltip="Release the held segment"),
    Binding("A", "want('release_all')", "release all", id="wire.release_all", show=False,
            tooltip="Release all held segments"),
    Binding("e", "want('edit')", "edit", id="wire.edit",
            tooltip="Edit the bytes of the held segment (elsewhere: experiments)"),
    Binding("d", "want('drop')", "drop", id="wire.drop",
            tooltip="Drop the held segment (elsewhere: then/now)"),
    Binding("slash", "filter", "filter", id="wire.filter_here",
            tooltip="Show only segments that match: flow, direction, size, text or bytes"),
    Binding("i", "intercept", "intercept", id="wire.intercept_here",
            tooltip="Hold segments that match a filter until you release them; an empty filter holds none"),
    Binding("r", "want('replay')", "replay", id="wire.replay",
            tooltip="Send the segment's bytes again, in the same flow or a new one"),
    Binding("w", "export", "export bytes", id="wire.export", show=False,
            tooltip="Write the bytes of the marked segments, or of all shown, to a file"),
    Binding("ctrl+c", "stop", "stop", id="wire.stop", show=False,
            tooltip="Stop filtering, or reading a long file"),
    clear_key("wire", "Clear the filter: show all segments again"),
]  # fmt: skip
