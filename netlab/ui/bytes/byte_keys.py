"""The keys of the bytes pane."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from netlab.ui.keys.commands import clear_key

KEYS: list[BindingType] = [
    Binding("o", "go_to", "go to", id="bytes.goto", tooltip="Go to an offset: 16, 0x10, +4, 50%"),
    Binding("slash,ctrl+f", "search", "search", id="bytes.search", tooltip="Find text, 0x hex or b'bytes'"),
    Binding("n", "find(False)", "next match", id="bytes.next", tooltip="Go to the next match"),
    Binding("N", "find(True)", "previous match", show=False, id="bytes.previous", tooltip="Go to the previous match"),
    Binding("u", "unpack", "unpack", id="bytes.struct", tooltip="Unpack a struct format at the cursor"),
    Binding("U", "copy_struct", "copy struct line", show=False, id="bytes.copy_struct",
            tooltip="Copy the Python line that unpacks the bytes"),
    Binding("x", "next_buffer", "next buffer", id="bytes.buffer",
            tooltip="Show what was put together, unpacked or decrypted from these bytes; then the bytes again"),
    Binding("y", "copy", "copy bytes", show=False, id="bytes.copy",
            tooltip="Copy the selection, the field or everything: as hex, text, Python or base64, or to a file"),
    Binding("b", "numbers", "numbers", show=False, id="bytes.numbers",
            tooltip="Show all numbers at the cursor in both byte orders, or only one line"),
    clear_key("bytes", "Clear the search, then the selection, then the struct format"),
]  # fmt: skip
