"""Whatever is changed behind the store's back is found, and the row is named."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import pytest
from settled_calls import NOW, settled_call
from sqlalchemy import Engine, text, update

from store.audit import Anchor, Kind, anchor, read_anchor, verify
from store.call import GivenAnswer, Match
from store.catalogue import Entry, synchronise
from store.catalogue import Kind as CatalogueKind
from store.contact import NewContact
from store.database import writing
from store.history import history
from store.ledger import note_sealed_changes
from store.query import Page, evaluations
from store.record import Recorder
from store.register import register
from store.schema import Answer, Ballot, Contact, Evaluation, LedgerEntry
from store.secret import derive

KEYS = derive(b"\x01" * 32)
Opened = Callable[[str], Engine]


@pytest.fixture
def engine(database_url: str, opened: Opened) -> Engine:
    """A store with a catalogue, three contacts with a number, and a rated call of each: 8 entries or more."""
    engine = opened(database_url)
    with writing(engine) as connection:
        entries = [Entry("D1", "户政科", attributes={"taskCode": "1"})]
        synchronise(connection, KEYS, CatalogueKind.DEPARTMENT, entries, complete=True, now=NOW)
    contact = NewContact(operator="O1", department="D1", caller="13812345678", served_at=NOW)
    ids = [register(engine, KEYS, contact, now=NOW, expires_at=NOW + timedelta(days=1)).id for _ in range(3)]
    solved = GivenAnswer("solved", "yes", "1", NOW, {"position_ms": 3.0, "big": 1e20, "list": [1.5, None, "x"]})
    calls = [settled_call(match=Match.TOKEN, contact=contact, caller=b"\x01ciphertext") for contact in ids]
    calls = [
        type(call)(**{name: getattr(call, name) for name in call.__slots__} | {"answers": (*call.answers, solved)})
        for call in calls
    ]
    with closing(Recorder(database_url, "follow_up", KEYS, clock=lambda: NOW)) as recorder:
        recorder.record(calls)
        recorder.record(calls)  # a repetition enters nothing
    return engine


def found(engine: Engine, **options: object) -> list[tuple[Kind, str | None, str | None]]:
    return [(finding.kind, finding.table, finding.row) for finding in verify(engine, KEYS, **options)]  # type: ignore[arg-type]


def behind_its_back(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def first(engine: Engine) -> str:
    return min(row.id for row in evaluations(engine, Page()))


def test_what_the_store_wrote_itself_verifies(engine: Engine) -> None:
    told: list[tuple[int, int]] = []
    assert list(verify(engine, KEYS, progress=lambda done, entries: told.append((done, entries)))) == []
    assert told[-1] == (10, 10)


def test_a_changed_grade_is_found_and_the_row_named(engine: Engine) -> None:
    row = first(engine)
    behind_its_back(
        engine,
        "UPDATE evaluation SET grade = 'very_satisfied' WHERE id = (SELECT id FROM evaluation ORDER BY id LIMIT 1)",
    )
    assert found(engine) == [(Kind.CHANGED, "evaluation", row)]


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("evaluation", "operator = 'O2'"),
        ("evaluation", "recorded_at = '2026-11-01 00:00:00'"),
        ("evaluation", "evidence = '{}'"),
        ("evaluation", "contact = NULL"),
        ("contact", "department = 'D2'"),
        ("contact", "served_at = '2026-11-01 00:00:00'"),
        ("call", "outcome = 'silent'"),
        ("catalogue_entry", "name = '户政二科'"),
    ],
)
def test_any_column_that_tells_the_truth_is_watched(engine: Engine, table: str, change: str) -> None:
    column = change.partition(" ")[0]
    behind_its_back(engine, f'UPDATE "{table}" SET {column} = {change.partition("= ")[2]}')
    kinds = found(engine)
    assert kinds
    assert {(kind, name) for kind, name, _row in kinds} == {(Kind.CHANGED, table)}


def test_standing_state_may_change(engine: Engine) -> None:
    behind_its_back(engine, "UPDATE contact SET outcome = 'silent'")
    assert found(engine) == []


def test_a_changed_added_or_deleted_answer_is_found_in_its_call(engine: Engine) -> None:
    row = first(engine)
    with engine.begin() as connection:
        connection.execute(update(Answer).where(Answer.call == row, Answer.question == "solved").values(answer="no"))
    assert found(engine) == [(Kind.CHANGED, "call", row)]
    with engine.begin() as connection:
        connection.execute(Answer.__table__.delete().where(Answer.call == row, Answer.question == "solved"))
    assert found(engine) == [(Kind.CHANGED, "call", row)]


def test_a_deleted_row_is_missing(engine: Engine) -> None:
    row = first(engine)
    with engine.begin() as connection:
        connection.execute(Evaluation.__table__.delete().where(Evaluation.id == row))
    assert found(engine) == [(Kind.MISSING, "evaluation", row)]


def test_a_row_put_in_without_an_entry_is_extra(engine: Engine) -> None:
    row = str(uuid4())
    with engine.begin() as connection:
        values = dict(connection.execute(Evaluation.__table__.select()).mappings().first() or {})
        values |= {"id": row, "contact": None, "call": None}
        unique = {name: values[name] for name in ("id", "contact", "round", "deemed", "call", "form")}
        connection.execute(Ballot.__table__.insert().values(**unique))
        connection.execute(Evaluation.__table__.insert().values(**values))
    assert found(engine) == [(Kind.EXTRA, "evaluation", row)]


def test_two_rows_that_changed_places_are_both_named(engine: Engine) -> None:
    one, other = sorted(row.id for row in evaluations(engine, Page()))[:2]
    with engine.begin() as connection:
        grades = {"answered_at": NOW, "key": "9"}
        connection.execute(update(Evaluation).where(Evaluation.id.in_([one, other])).values(**grades))
    assert {row for _kind, _table, row in found(engine)} == {one, other}


def test_entries_that_changed_places_are_found(engine: Engine) -> None:
    behind_its_back(
        engine,
        "UPDATE ledger SET seq = 1000 WHERE seq = 3",
        "UPDATE ledger SET seq = 3 WHERE seq = 4",
        "UPDATE ledger SET seq = 4 WHERE seq = 1000",
    )
    findings = list(verify(engine, KEYS))
    assert {finding.kind for finding in findings} == {Kind.LINK}
    assert [finding.seq for finding in findings] == [3, 4, 5]


def test_a_removed_entry_is_a_gap_and_its_row_extra(engine: Engine) -> None:
    behind_its_back(engine, "DELETE FROM ledger WHERE seq = 5")
    findings = list(verify(engine, KEYS))
    assert [finding.kind for finding in findings] == [Kind.GAP, Kind.EXTRA]
    assert findings[0].seq == 6
    assert "5 to 5" in findings[0].detail


def test_an_entry_rewritten_with_its_row_breaks_the_chain(engine: Engine) -> None:
    """The digest needs the key, which the database does not hold."""
    behind_its_back(engine, "UPDATE ledger SET digest = hash WHERE seq = 7")
    kinds = [kind for kind, _table, _row in found(engine)]
    assert kinds[0] is Kind.LINK
    assert Kind.CHANGED in kinds


def test_another_secret_key_verifies_nothing(engine: Engine) -> None:
    kinds = {finding.kind for finding in verify(engine, derive(b"\x02" * 32))}
    assert kinds == {Kind.LINK, Kind.CHANGED}


def test_a_tail_cut_off_with_its_rows_shows_against_an_anchor_kept_outside(engine: Engine) -> None:
    kept = anchor(engine)
    assert read_anchor(str(kept)) == kept
    assert found(engine, kept_outside=kept) == []
    assert found(engine, kept_outside=Anchor(None, kept.hash)) == []
    with engine.begin() as connection:
        entry = (
            connection.execute(LedgerEntry.__table__.select().order_by(LedgerEntry.seq.desc()).limit(1))
            .mappings()
            .one()
        )
        connection.execute(text("DELETE FROM evaluation WHERE id = :row"), {"row": _raw(connection, entry["row"])})
        connection.execute(text("DELETE FROM ledger WHERE seq = :seq"), {"seq": entry["seq"]})
    assert found(engine) == []  # what is left is whole: the tail alone tells nothing
    assert found(engine, kept_outside=kept) == [(Kind.ANCHOR, None, None)]
    assert found(engine, kept_outside=Anchor(None, kept.hash)) == [(Kind.ANCHOR, None, None)]


def _raw(connection, name: str) -> str:
    return name if connection.dialect.name == "postgresql" else name.replace("-", "")


@pytest.mark.parametrize("text", ["", "x", "12:abcd", "a:" + "0" * 64, "0" * 63])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_anchor(text)


def test_a_sealed_field_may_be_deleted_or_sealed_anew_on_record_and_not_otherwise(engine: Engine) -> None:
    row = min(history(engine, "contact", _contact(engine))[0].row for _ in range(1))
    with engine.begin() as connection:
        connection.execute(update(Contact).where(Contact.id == row).values(caller=None))
    assert found(engine) == [(Kind.SEALED, "contact", row)]

    def note(sealed: bytes | None) -> None:
        with writing(engine) as connection:
            connection.execute(update(Contact).where(Contact.id == row).values(caller=sealed))
            change = {"table_name": "contact", "row": row, "field": "caller", "sealed": sealed}
            note_sealed_changes(connection, KEYS, [change | {"reason": "retention", "by": "jobs"}], NOW)

    note(b"sealed with the next key")
    assert found(engine) == []
    note(None)
    assert found(engine) == []
    with engine.begin() as connection:
        connection.execute(update(Contact).where(Contact.id == row).values(caller=b"somebody else's"))
    assert found(engine) == [(Kind.SEALED, "contact", row)]


def _contact(engine: Engine) -> str:
    return min(row.contact or "" for row in evaluations(engine, Page()))


def test_a_history_holds_all_that_was_written_about_a_row_in_its_order_and_opens_nothing(engine: Engine) -> None:
    steps = history(engine, "contact", _contact(engine))
    assert [step.table for step in steps] == ["contact", "call", "evaluation"]
    assert [step.seq for step in steps] == sorted(step.seq or 0 for step in steps)
    assert steps[0].values["caller"] == "(sealed)"
    assert steps[0].at == NOW
    assert history(engine, "contact", str(uuid4())) == []


def test_verifying_from_a_later_entry_takes_the_earlier_ones_as_good(engine: Engine) -> None:
    behind_its_back(engine, "UPDATE catalogue_entry SET name = 'x'")
    assert found(engine, start=2) == []
    assert len(found(engine)) == 1
