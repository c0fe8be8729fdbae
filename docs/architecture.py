"""Draws docs/architecture.svg from the code's imports: ``python docs/architecture.py``.

An arrow says "imports". One that follows from others (a → c, where a → b → c) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

import grimp

PICTURE = Path(__file__).with_suffix(".svg")
PACKAGE = "netlab"
WHAT = {
    "cli": "finds the command",
    "commands": "one file a command",
    "ui": "the app; knows textual",
    "api": "a wire for programs",
    "load": "requests and latency",
    "lab": "one topic running",
    "serve": "the server's process",
    "host": "a person's program",
    "wire": "relay and faults",
    "scene": "wires in a file",
    "attachments": "a person's own server",
    "topics": "recipes, lessons",
    "certificates": "the lab's own CA",
    "dissect": "bytes → fields",
    "names": "names → addresses",
    "capture": "pcapng; no sockets",
    "kernel": "what the kernel knows",
    "hardening": "limits and deadlines",
    "folders": "a person's files",
    "platforms": "what a system lacks",
    "processor": "leaves it to others",
}
"""What each part is, in a few words."""
COLUMN = {
    "cli": 3, "commands": 3, "api": 0.5, "load": 2, "ui": 4, "lab": 2, "scene": 1, "attachments": 3.95, "serve": 3,
    "wire": 0, "topics": 3, "host": 5.4, "names": 0, "dissect": 5.3, "kernel": 2, "capture": 4, "certificates": 7,
    "folders": 1, "platforms": 2, "hardening": 5.3, "processor": 8,
}  # fmt: skip
"""Where each part stands, so that no arrow passes behind a box; how high follows from the imports."""
WIDTH, HEIGHT, ACROSS, DOWN = 150, 46, 164, 92
Imports = Mapping[str, set[str]]


def imports() -> dict[str, set[str]]:
    """Which part of netlab imports which."""
    graph = grimp.build_graph(PACKAGE)
    parts = sorted(module for module in graph.modules if module.count(".") == 1 and not module.endswith("__main__"))
    for part in parts:
        if graph.find_children(part):
            graph.squash_module(part)
    found = {part: graph.find_modules_directly_imported_by(part) & set(parts) - {part} for part in parts}
    return {_short(part): {_short(other) for other in others} for part, others in found.items()}


def _short(module: str) -> str:
    return module.removeprefix(f"{PACKAGE}.")


def reachable(found: Imports, part: str) -> set[str]:
    """All that a part imports, also through others."""
    return found[part].union(*(reachable(found, other) for other in found[part]))


def reduced(found: Imports) -> dict[str, set[str]]:
    """The imports that do not follow from others."""
    return {
        part: others.difference(*(reachable(found, other) for other in others), set()) for part, others in found.items()
    }


def floors(found: Imports) -> dict[str, int]:
    """How far each part stands above those that import nothing."""
    known: dict[str, int] = {}

    def floor(part: str) -> int:
        if part not in known:
            known[part] = 1 + max(map(floor, found[part])) if found[part] else 0
        return known[part]

    for part in found:
        floor(part)
    return known


def places(found: Imports) -> dict[str, tuple[int, int]]:
    """The upper left corner of each part's box."""
    floor = floors(found)
    top = max(floor.values())
    return {part: (20 + round(COLUMN.get(part, 5.2) * ACROSS), 20 + (top - floor[part]) * DOWN) for part in found}


def picture(found: Imports) -> str:
    """The boxes and arrows as SVG."""
    at = places(found)
    width, height = max(x for x, _ in at.values()) + ACROSS, max(y for _, y in at.values()) + HEIGHT + 20
    lines = [_arrow(at[part], at[other]) for part in sorted(found) for other in sorted(reduced(found)[part])]
    boxes = [_box(part, *at[part]) for part in sorted(found)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
            '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
            ' orient="auto"><path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


def _arrow(begin: tuple[int, int], end: tuple[int, int]) -> str:
    x, y, to_x, to_y = begin[0] + WIDTH // 2, begin[1] + HEIGHT, end[0] + WIDTH // 2, end[1]
    bend = (to_y - y) // 2
    curve = f"M{x} {y}C{x} {y + bend} {to_x} {to_y - bend} {to_x} {to_y}"
    return f'<path d="{curve}" fill="none" stroke="#57606a" stroke-width="1.2" marker-end="url(#head)"/>'


def _box(part: str, x: int, y: int) -> str:
    middle = x + WIDTH // 2
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ddf4ff" stroke="#0969da"/>'
        f'<text x="{middle}" y="{y + 20}" text-anchor="middle" font-size="14" font-weight="bold">{escape(part)}</text>'
        f'<text x="{middle}" y="{y + 36}" text-anchor="middle" font-size="11">{escape(WHAT.get(part, ""))}</text>'
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(imports()), encoding="utf-8")
