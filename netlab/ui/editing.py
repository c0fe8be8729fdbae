"""A person's own server file in their own editor, while the app steps aside."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from pathlib import Path

from textual.app import App, SuspendNotSupported

from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.topics.ejecting import eject, ejected_server
from netlab.ui.tab.tab import TopicTab
from netlab.ui.terminal.exit_watch import WATCH

_USUAL = ("nano", "vi")


def editor() -> list[str]:
    """The person's editor as a command: ``$VISUAL``, ``$EDITOR``, else a usual one. Raises `LabError`."""
    for name in ("VISUAL", "EDITOR"):
        if words := os.environ.get(name, ""):
            try:
                return shlex.split(words)
            except ValueError as error:
                raise LabError(f"${name} is not a command: {error}", f"as in {name}=nano") from None
    found = next(filter(None, map(shutil.which, _USUAL)), None)
    if found is None:
        raise LabError("no editor was found", "set $EDITOR, as in EDITOR=nano")
    return [found]


def copy_of_recipe(lab: Lab, folder: Path) -> Path:
    """The running model's server in a folder, written there with what it uses if it is not there yet."""
    model = lab.state.model
    path = ejected_server(lab.topic, folder, model)
    if not path.is_file():
        try:
            eject(lab.topic, folder, model=model)
        except FileExistsError as error:
            raise LabError(
                f"{error.filename} is there already", "choose another folder, as in :edit my-server"
            ) from None
        except OSError as error:
            problem = f"{error.filename or folder} cannot be written: {error.strerror or error}"
            raise LabError(problem, "choose another folder, as in :edit ~/my-server") from None
    return path


async def edit_server(app: App[None], tab: TopicTab, folder: str) -> None:
    """Serve with the person's own file and open it in their editor; what goes wrong is said in the console."""
    lab = tab.lab
    try:
        path = lab.own.path
        if path is None or folder:
            path = copy_of_recipe(lab, Path(folder or f"netlab-{lab.topic.name}").expanduser())
            tab.console.say(await asyncio.to_thread(lab.own.use, path))
            tab.console.say(f"{path}: each time you save it, it serves as it is then")
        await _run(app, [*editor(), str(path)])
    except LabError as error:
        tab.console.say(str(error), error=True)


async def _run(app: App[None], command: list[str]) -> None:
    """Give the terminal to a program until it ends."""
    problem = None
    try:
        with app.suspend():
            WATCH.ignore_interrupts()
            try:
                process = await asyncio.create_subprocess_exec(*command)
                try:
                    await process.wait()
                finally:
                    if process.returncode is None:
                        process.terminate()
            except OSError as error:
                problem = LabError(f"{command[0]} cannot be run: {error.strerror or error}", "set $EDITOR")
            finally:
                WATCH.heed_interrupts()
    except SuspendNotSupported:
        where = command[-1]
        raise LabError("no editor can be opened from here", f"edit {where} elsewhere: saving it is enough") from None
    if problem is not None:
        raise problem
