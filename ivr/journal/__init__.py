"""A node's durable local journal: append, group commit, read, acknowledge.

    journal = Journal(folder, max_bytes=1 << 30)
    journal.open()
    journal.append(b'{"kind": ...}').result()      # returns once it is on the disk

    reader = JournalReader(folder)                   # in another process
    reader.open()
    for entry in reader.entries(): ...
    reader.acknowledge(entry.after)

A folder holds `<number>.segment` (the records), `next` and `reserve` (room allocated in advance), `durable` (how far
readers may read), `acknowledged` (how far they are done), `torn/` (what was cut off after a crash) and two locks.
"""

from ivr.journal.errors import JournalError, JournalFailed, JournalFull, JournalLocked
from ivr.journal.reader import JournalReader
from ivr.journal.repair import Cut
from ivr.journal.segment import Damage, Entry, Position
from ivr.journal.state import Alarm, AlarmKind, Figures
from ivr.journal.writer import Journal

__all__ = [
    "Alarm",
    "AlarmKind",
    "Cut",
    "Damage",
    "Entry",
    "Figures",
    "Journal",
    "JournalError",
    "JournalFailed",
    "JournalFull",
    "JournalLocked",
    "JournalReader",
    "Position",
]
