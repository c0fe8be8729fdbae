"""The files of a person's own faults while the faults act: a saved one is read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netlab.capture.model import Transport
from netlab.wire.impairment import catalog, own_fault
from netlab.wire.impairment.fault import Impairment


class OwnFaultFiles:
    """What is known of these files, on a wire of this transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._stamps: dict[str, tuple[int, int] | None] = {}  # when the files were read

    def begin(self, chain: Sequence[Impairment]) -> None:
        """These faults act from now on."""
        self._stamps = {each.file.path: each.file.stamp for each in chain if each.file is not None}

    def complaints(self, chain: Sequence[Impairment]) -> Iterator[str]:
        """What went wrong in them since this was asked last."""
        for each in chain:
            while each.file is not None and each.file.complaints:
                yield each.file.complaints.popleft()

    def renewed(self, chain: Sequence[Impairment]) -> tuple[Impairment, ...] | None:
        """The faults with those read again whose files were saved; None if none was.

        Raises `ValueError` with a sentence if a saved file has no fault. It is read again when it is saved again.
        """
        files = [each.file for each in chain if each.file is not None]
        now = {file.path: stamp for file in files if (stamp := own_fault.stamp(file.path)) is not None}
        saved = {path for path, stamp in now.items() if stamp != self._stamps.get(path, stamp)}
        self._stamps |= now
        if not saved:
            return None
        return tuple(self._read_again(each) if each.file and each.file.path in saved else each for each in chain)

    def _read_again(self, impairment: Impairment) -> Impairment:
        return catalog.parse(str(impairment), self._transport) or impairment
