"""A delivery that is killed after the store has taken a batch and before it is acknowledged.

python dying_delivery.py JOURNALS DATABASE_URL: delivers one batch into the real store, then SIGKILL.
"""

import os
import signal
import sys
from pathlib import Path

from ivr.delivery import Courier
from store.record import Recorder
from store.secret import derive


class KilledAfterRecording(Recorder):
    """The real recorder, in a process that does not live to hear its answer."""

    def record(self, calls):
        super().record(calls)
        os.kill(os.getpid(), signal.SIGKILL)


Courier(Path(sys.argv[1]), KilledAfterRecording(sys.argv[2], "follow_up", derive(b"\x01" * 32))).run_once()
