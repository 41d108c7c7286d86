"""Everything that can be wrong with the store, each told in one clear sentence.

Rule: no SQLAlchemy here, so that an IVR node may import it.
"""


class StoreError(Exception):
    """The family."""


class StoreUnavailable(StoreError):
    """The database cannot be reached or is busy: transient, try again later."""


class StoreMisconfigured(StoreError):
    """The database URL cannot be understood: nothing will change by trying again."""


class SchemaMismatch(StoreError):
    """The database's schema is not the one this program was written for."""


class SchemaMissing(SchemaMismatch):
    """The database has no schema yet."""


class SchemaTooOld(SchemaMismatch):
    """The database was made by an older program."""


class SchemaTooNew(SchemaMismatch):
    """The database was upgraded by a newer program."""


class SecretKeyError(StoreError):
    """The secret key file cannot be used."""


class CipherError(StoreError):
    """A sealed field cannot be opened: another key, another row, or changed bytes."""


class IdempotencyConflict(StoreError):
    """An idempotency key was used again for something else."""


class NameTaken(StoreError):
    """A channel of this name exists."""


class NotFound(StoreError):
    """There is no such row."""
