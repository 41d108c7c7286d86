"""A writer to be killed: appends numbered records and prints each number once it was promised durable.

python journal_writer_process.py FOLDER FIRST_NUMBER
"""

import sys
from collections import deque
from pathlib import Path

from ivr.journal import Journal

folder, number = Path(sys.argv[1]), int(sys.argv[2])
journal = Journal(folder, max_bytes=4 << 20, segment_bytes=8192, reserve_bytes=4096)
journal.open()
waiting = deque()
while True:
    waiting.append((number, journal.append(b'{"n":%d}' % number)))
    number += 1
    while waiting and (waiting[0][1].done() or len(waiting) > 5):
        promised, future = waiting.popleft()
        future.result()
        print(promised, flush=True)
