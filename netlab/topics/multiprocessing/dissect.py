"""What multiprocessing.connection sends: the messages of the handshake, then pickles."""

from netlab.dissect.pickles.pickle_messages import PicklesFlow as Flow
from netlab.dissect.pickles.pickle_messages import dissect

__all__ = ["Flow", "dissect"]
