"""What can go wrong with a journal, in words an engineer can act on."""


class JournalError(Exception):
    """The family: whatever the journal reports."""


class JournalFull(JournalError):
    """No room: the disk is full or the size limit is reached. What was acknowledged before is safe."""


class JournalFailed(JournalError):
    """The disk no longer keeps what it is given; nothing further is accepted."""


class JournalLocked(JournalError):
    """Another process has this journal; the message names it."""
