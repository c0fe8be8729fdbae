"""The fields of the shown bytes as a tree: names, spans, kinds and values, all escaped.

Long lists are cut, and children are made when their parent is opened.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from netlab.dissect.fields import Derived, Dissection, Field
from netlab.dissect.text import safe
from netlab.ui.bytes.fields.derived_buffers import Root

CHILDREN = 500
"""At most this many fields are shown below one parent."""
VALUE = 200
"""At most this many characters of a value are shown."""
_OPEN_AT_ONCE = 60
"""A tree with at most this many fields is shown expanded."""


def label(field: Field) -> Text:
    """A field as one line."""
    value = safe(field.value[:VALUE]) + ("…" if len(field.value) > VALUE else "")
    earlier = max(-field.start, 0)  # bytes of it in earlier segments
    span = f"begins {earlier:,} {_bytes(earlier)} earlier" if earlier else f"{field.start}–{field.end}"
    if field.buffer is not None:
        span += f" of {safe(field.buffer.name)}"
    if field.start == field.end and not field.kind:  # it has no place, as some of tshark's fields have none
        span = ""
    parts = [(safe(field.name), "bold"), (span, "dim"), (safe(field.kind), "italic")]
    return Text("  ").join([*(Text(words, style) for words, style in parts if words), Text(value)])


def child_at(fields: Sequence[Field], offset: int) -> int | None:
    """Index of the field that contains ``offset``; fields are in order, those in derived buffers last."""
    here = bisect_left(fields, True, key=lambda field: field.buffer is not None)
    index = bisect_right(fields, offset, hi=here, key=lambda field: field.start) - 1
    return index if index >= 0 and fields[index].start <= offset < fields[index].end else None


def path_to(fields: Sequence[Field], offset: int) -> list[int]:
    """Indices from the top down to the deepest field that contains ``offset``."""
    path: list[int] = []
    while (index := child_at(fields, offset)) is not None:
        path.append(index)
        fields = fields[index].children
    return path


def path_in_buffer(roots: Sequence[Root], offset: int) -> list[int]:
    """The same for fields that lie in a derived buffer: the path to the first that contains ``offset``."""
    for root in roots:
        if root.field.start <= offset < root.field.end:
            return [*root.path, *path_to(root.field.children, offset)]
    return []


def layer_path(fields: Sequence[Field]) -> list[int]:
    """Indices from the top down to the innermost layer of the first field that has one; empty if none has."""
    for index, field in enumerate(fields[:CHILDREN]):
        inner = layer_path(field.children)
        if inner or field.layer:
            return [index, *inner]
    return []


def incomplete(dissection: Dissection) -> list[str]:
    """How much of the last message is missing here: bytes in later segments, and bytes still to come."""
    later = min(dissection.later, dissection.needs)
    waits = dissection.needs - later
    came = [f"{later:,} more {_bytes(later)} in later segments"] if later else []
    return [*came, f"waits for {waits:,} more {_bytes(waits)}"] if waits else came


def _bytes(count: int) -> str:
    return "byte" if count == 1 else "bytes"


def _count(fields: Sequence[Field], most: int) -> int:
    """How many fields there are including children; any number above ``most`` if there are more."""
    count, waiting = 0, list(fields[: most + 1])
    while waiting and count <= most:
        field = waiting.pop()
        count += 1
        waiting.extend(field.children[: most + 1])
    return count


class FieldTree(Tree[Field | None]):
    """Fields of a dissection. The program moves the cursor with `reveal`; only the user's moves post a message."""

    DEFAULT_CSS = """
    FieldTree {
        border-top: solid $primary-muted; border-title-color: $foreground;
        background: $background; scrollbar-size-vertical: 1; overflow-x: hidden;
        &:focus { border-top: heavy $accent; border-title-style: bold; background-tint: $background 0%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "cursor_up", "up", show=False, id="fields.up"),
        Binding("j", "cursor_down", "down", show=False, id="fields.down"),
        Binding("right", "open", "open", show=False, id="fields.open"),
        Binding("left", "close", "close", show=False, id="fields.close"),
    ]

    @dataclass
    class FieldHighlighted(Message):
        """The user moved the cursor to another field, which lies in a derived buffer or not."""

        field: Field
        buffer: Derived | None

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id)
        self.show_root = False
        self.guide_depth = 2
        self._shown = Dissection(()), "", ""
        self._words = ["fields"]
        self._reported: Field | None = None
        self._above = 0  # lines above the fields
        self._first: int | None = None  # the offset that was revealed first
        self._moved = False  # whether another one has been since

    def notify_style_update(self) -> None:
        """Repaint in the new colours. `Tree` would also lay out the whole screen at each change of focus."""
        Widget.notify_style_update(self)
        self._clear_line_cache()
        self.refresh()

    def show(self, dissection: Dissection, note: str = "", remark: str = "") -> None:
        """Show other fields; ``note`` stands in the title, ``remark`` on a line above them."""
        if (dissection, note, remark) == self._shown:
            return
        self._shown = dissection, note, remark
        self._reported, self._first, self._moved = None, None, False
        self.clear()
        if remark:
            self.root.add_leaf(Text(safe(remark), "bold italic"), None)
        self._above = len(self.root.children)
        self._fill(self.root, dissection.fields)
        if _count(dissection.fields, _OPEN_AT_ONCE) <= _OPEN_AT_ONCE:
            self._open_all(self.root)
        if dissection.problem:
            self.root.add_leaf(Text(f"raw: {safe(dissection.problem)}", "bold"), None)
        words = self._words = ["fields"]
        if dissection.needs:
            words += incomplete(dissection)
        elif dissection.problem:
            words.append("the rest is raw bytes")
        self.remind(note)
        self.call_after_refresh(self._begin)

    def remind(self, note: str) -> None:
        """Change the note in the title; the fields stay."""
        dissection, _, remark = self._shown
        self._shown = dissection, note, remark
        self.border_title = Content(" ── ".join([*self._words, note] if note else self._words)).markup

    def _begin(self) -> None:
        """Scroll to the innermost layer, else to the first line; keep a cursor further down in view."""
        if self._moved or self.has_focus or self.cursor_line >= self.scrollable_content_region.height:
            return
        node = self._node_at(layer_path(self._shown[0].fields))
        line = node.line if node is not None and self.last_line >= 0 else 0
        if self.scroll_offset.y != line:
            self.scroll_to(y=max(line, 0), animate=False)

    def on_resize(self) -> None:
        """Scroll to the innermost layer in the new size as well."""
        self._begin()

    def _fill(self, node: TreeNode[Field | None], fields: Sequence[Field]) -> None:
        for field in fields[:CHILDREN]:
            if field.children:
                node.add(label(field), field)
            else:
                node.add_leaf(label(field), field)
        if len(fields) > CHILDREN:
            node.add_leaf(Text(f"… and {len(fields) - CHILDREN} more", "italic"), None)

    def _open_all(self, node: TreeNode[Field | None]) -> None:
        for child in node.children:
            if child.data is not None and child.data.children:
                self._open(child)
                self._open_all(child)

    def _fill_once(self, node: TreeNode[Field | None]) -> None:
        if node.data is not None and node.data.children and not node.children:
            self._fill(node, node.data.children)

    def _open(self, node: TreeNode[Field | None]) -> None:
        self._fill_once(node)
        if not node.is_expanded:
            node.expand()

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Field | None]) -> None:
        """Make the children when their parent is opened."""
        event.stop()
        self._fill_once(event.node)

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Field | None]) -> None:
        """Post the field that the user moved to."""
        event.stop()
        field = event.node.data
        if field is not None and field is not self._reported:
            self._reported = field
            if self.has_focus:
                self.post_message(self.FieldHighlighted(field, _buffer_of(event.node)))

    def reveal(self, offset: int, roots: Sequence[Root] = ()) -> Field | None:
        """Put the cursor on the deepest field that contains ``offset``, and expand its parents. Returns the field.

        ``roots`` are the fields in the derived buffer that is shown, if one is.
        """
        field, fields = None, self._shown[0].fields
        path = path_in_buffer(roots, offset) if roots else path_to(fields, offset)
        for index in path:
            field = fields[index]
            fields = field.children
        self._reported = field
        node = self._node_at(path)
        if node is not None and self.last_line >= 0:  # reading it lays out the lines, so that nodes know theirs
            self.move_cursor(node)
        self._first = offset if self._first is None else self._first
        self._moved = self._moved or offset != self._first
        self.call_after_refresh(self._begin)
        return field

    def _node_at(self, path: Sequence[int]) -> TreeNode[Field | None] | None:
        """The node at the end of a path of indices, as deep as nodes go, with its parents expanded; else None."""
        node = self.root
        for index in path:
            if index < CHILDREN:
                if node is not self.root:
                    self._open(node)
                node = node.children[index + (self._above if node is self.root else 0)]
        return None if node is self.root else node

    def render_label(self, node: TreeNode[Field | None], base_style: Style, style: Style) -> Text:
        """A field's line, cut with "…" if it is too long."""
        text = super().render_label(node, base_style, style)
        depth, above = 0, node.parent
        while above is not None:
            depth, above = depth + 1, above.parent
        text.truncate(max(self.scrollable_content_region.width - depth * self.guide_depth, 1), overflow="ellipsis")
        return text

    def action_open(self) -> None:
        """Open the field under the cursor."""
        if self.cursor_node is not None and self.cursor_node.allow_expand:
            self._open(self.cursor_node)

    def action_close(self) -> None:
        """Close the field, or go to its parent."""
        node = self.cursor_node
        if node is not None and node.is_expanded and node.children:
            node.collapse()
        elif node is not None and node.parent is not None and node.parent is not self.root:
            self.move_cursor(node.parent)


def _buffer_of(node: TreeNode[Field | None]) -> Derived | None:
    """The derived buffer in which a node's field lies: its own, else that of the one around it."""
    here: TreeNode[Field | None] | None = node
    while here is not None:
        if here.data is not None and here.data.buffer is not None:
            return here.data.buffer
        here = here.parent
    return None
