"""Everything sealed is sealed anew with another key and suite, and the ledger knows of each."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from case_office import AT, WAY, contact, office, rate
from case_office import KEYS as BEFORE
from sqlalchemy import Engine, select

from store import sealed_field
from store.attachment import Shelf, attach, fetch
from store.audit import verify
from store.case_act import act
from store.case_query import Wanted, cases
from store.database import reading, writing
from store.privacy import FieldCipher, FieldKeys, Suite
from store.query import Page
from store.rekey import rekey, to_do
from store.schema import CaseEvent, Contact
from store.secret import derive

NUMBER, NOTE = "13812345678", "电话已接通"
PDF = b"%PDF-1.7 proof"
AFTER = derive(b"\x03" * 32, {2: b"\x04" * 32}, Suite.SM4_GCM)
ONLY_NEW = FieldCipher(FieldKeys(AFTER.fields.known[-1:], Suite.SM4_GCM))


@pytest.fixture
def engine(database_url: str, opened: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Five contacts with a number; a case with two notes and a file."""
    monkeypatch.setattr(sealed_field, "BATCH", 2)
    engine = opened(database_url)
    ids = [contact(engine, caller=NUMBER) for _ in range(5)]
    rate(engine, ids[0])
    return engine


@pytest.fixture
def shelf(engine: Engine, tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "attachments", 2**20)
    (case,) = (row.id for row in cases(engine, Wanted(), Page(), AT))
    act(office(engine), case, WAY["verify"], AT)
    act(office(engine), case, WAY["call_back"], AT)
    attach(office(engine), shelf, case, PDF, name="a.pdf", by="wang", now=AT)
    return shelf


def sealed(engine: Engine) -> list[tuple[str, bytes]]:
    with reading(engine) as connection:
        numbers = connection.execute(select(Contact.id, Contact.caller)).all()
        notes = connection.execute(select(CaseEvent.id, CaseEvent.note).where(CaseEvent.note.is_not(None))).all()
    return [(row[0], row[1]) for row in (*numbers, *notes)]


def test_all_is_sealed_with_the_new_key_and_the_ledger_still_verifies(engine: Engine, shelf: Shelf) -> None:
    old = sealed(engine)
    expected = to_do(engine, AFTER, shelf.folder)
    assert expected == len(old) + 1
    done = list(rekey(engine, AFTER, shelf.folder, lambda: AT))
    assert sum(batch.count for batch in done) == expected
    assert {batch.of for batch in done} == {"contact.caller", "case_event.note", "attachment"}
    assert {ONLY_NEW.open(field, row.encode()) for row, field in sealed(engine)} == {NUMBER, NOTE}
    assert to_do(engine, AFTER, shelf.folder) == 0
    assert list(verify(engine, AFTER)) == []
    assert list(rekey(engine, AFTER, shelf.folder, lambda: AT)) == []


def test_what_was_interrupted_goes_on_where_it_stopped(engine: Engine, shelf: Shelf) -> None:
    total = to_do(engine, AFTER, shelf.folder)
    interrupted = rekey(engine, AFTER, shelf.folder, lambda: AT)
    first = next(interrupted)
    interrupted.close()
    assert (first.count, to_do(engine, AFTER, shelf.folder)) == (2, total - 2)
    assert list(verify(engine, AFTER)) == []
    assert sum(batch.count for batch in rekey(engine, AFTER, shelf.folder, lambda: AT)) == total - 2
    assert list(verify(engine, AFTER)) == []


def test_files_open_with_the_new_key_and_are_the_same(engine: Engine, shelf: Shelf) -> None:
    list(rekey(engine, AFTER, shelf.folder, lambda: AT))
    (path,) = shelf.folder.glob("*/*")
    assert ONLY_NEW.open_bytes(path.read_bytes(), path.stem.encode()) == PDF
    (case,) = (row.id for row in cases(engine, Wanted(), Page(), AT))
    assert fetch(replace(office(engine), keys=AFTER), shelf, case, path.stem)[1] == PDF


def test_what_no_key_opens_is_named_and_left(engine: Engine, tmp_path: Path) -> None:
    with reading(engine) as connection:
        row = min(connection.scalars(select(Contact.id)))
    with writing(engine) as connection:
        connection.execute(Contact.__table__.update().where(Contact.id == row).values(caller=b"\x09" + bytes(40)))
    done = list(rekey(engine, AFTER, tmp_path / "none", lambda: AT))
    assert [name for batch in done for name in batch.closed] == [row]
    assert to_do(engine, AFTER, tmp_path / "none") == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_old_ciphertext_is_in_no_file_of_an_embedded_database(engine: Engine, tmp_path: Path) -> None:
    path = Path(str(engine.url.database))
    old = [field for _row, field in sealed(engine)]
    assert all(field in _bytes(path) for field in old)
    list(rekey(engine, AFTER, tmp_path / "none", lambda: AT))
    assert not any(field in _bytes(path) for field in old)


def test_a_key_taken_away_too_early_shows(engine: Engine, tmp_path: Path) -> None:
    lost = replace(AFTER, fields=FieldKeys(AFTER.fields.known[1:]))
    assert not any(batch.count for batch in rekey(engine, lost, tmp_path / "none", lambda: AT))
    assert {BEFORE.fields.known[0].number} == {field[0] for _row, field in sealed(engine)}


def _bytes(database: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(database.parent.glob(f"{database.name}*")))
