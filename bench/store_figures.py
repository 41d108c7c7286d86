"""The store under load: statistics over many evaluations, recording in batches, one write at a time on SQLite.

python -m bench.store_figures [--rows 1000000] [--seconds 20]

PostgreSQL is a private server with fsync on. Rows are filled in the server (twelve months, 60 departments, 500 items,
200 operators, 6 channels, half of them deemed), without calls and ledger entries, and rolled up by `rebuild`;
everything that is timed afterwards goes through the code of the service.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "integration")]

import postgres  # noqa: E402  the tests' private server
import psycopg  # noqa: E402
from sqlalchemy import Engine, text  # noqa: E402

from bench.percentiles import percentiles  # noqa: E402
from store.call import GivenAnswer, Match, SettledCall  # noqa: E402
from store.contact import NewContact  # noqa: E402
from store.database import open_engine  # noqa: E402
from store.figure_rollup import fold, rebuild  # noqa: E402
from store.figures_answer import figures  # noqa: E402
from store.figures_shown import Manner  # noqa: E402
from store.partitions import ensure  # noqa: E402
from store.period import Days  # noqa: E402
from store.record import Recorder  # noqa: E402
from store.register import register  # noqa: E402
from store.secret import Keys, derive  # noqa: E402
from store.statistics import By, Question  # noqa: E402
from store.upgrade import upgrade  # noqa: E402

KEYS: Keys = derive(b"\x01" * 32)
SERVER = (
    "-c listen_addresses='' -c max_connections=40 -c shared_buffers=1GB -c max_wal_size=8GB -c work_mem=64MB"
    " -c maintenance_work_mem=512MB -c checkpoint_timeout=30min"
)
FIRST = date(2025, 12, 1)
NOW = datetime(2026, 12, 10, tzinfo=UTC)
BATCH = 500

# one statement a table; keys in order, so that indexes grow at their end, as they do in service
SOURCE = """
CREATE UNLOGGED TABLE filled AS
SELECT n, ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id,
  timestamptz '2025-11-30 16:00+00' + interval '365 days' * (n::float8 / {rows}) AS at,
  'd' || lpad(item_department::text, 2, '0') AS department, 'i' || lpad(item::text, 3, '0') AS item,
  'o' || lpad(floor(200 * power(random(), 1.3))::text, 3, '0') AS operator,
  (ARRAY['ivr', 'ivr', 'ivr', 'ivr', 'ivr', 'sms', 'sms', 'web', 'qr', 'window', 'terminal'])[1 + floor(random() * 11)]
    AS channel,
  random() < 0.5 AS deemed, random() AS taste
FROM (SELECT n, item, item % 60 AS item_department
  FROM (SELECT n, floor(500 * power(random(), 2))::int AS item FROM generate_series(1, {rows}) AS n) AS items) AS rows
"""
FILL = """
INSERT INTO contact (id, number, kind, item, operator, department, registered_at, expires_at, outcome, outcome_at)
SELECT id, 'PJ' || n, 'consultation', item, operator, department, at, at + interval '1 day',
  CASE WHEN deemed THEN 'deemed' ELSE 'rated' END, at FROM filled;

INSERT INTO ballot (id, contact, round, deemed) SELECT id, id, 1, deemed FROM filled;

INSERT INTO evaluation (id, contact, channel, grade, round, deemed, match, tags, department, item, operator,
  answered_at, recorded_at, evidence)
SELECT id, id, channel, CASE WHEN deemed THEN 'basically_satisfied' WHEN taste < 0.55 THEN 'very_satisfied'
  WHEN taste < 0.82 THEN 'satisfied' WHEN taste < 0.94 THEN 'basically_satisfied' WHEN taste < 0.98 THEN 'dissatisfied'
  ELSE 'very_dissatisfied' END, 1, deemed, 'token', '[]', department, item, operator, at, at, '{}' FROM filled;
"""

YEAR = Days(FIRST, date(2026, 12, 1))
QUESTIONS: dict[str, Question] = {
    "all of it": Question(),
    "by month": Question(by=(By.MONTH,)),
    "by day, a year": Question(YEAR, (By.DAY,)),
    "by department, a year": Question(YEAR, (By.DEPARTMENT,)),
    "by department, odd days": Question(Days(date(2026, 1, 13), date(2026, 11, 20)), (By.DEPARTMENT,)),
    "by department and channel": Question(YEAR, (By.DEPARTMENT, By.CHANNEL)),
    "one department by day": Question(YEAR, (By.DAY,), {By.DEPARTMENT: "d07"}),
    "by item, a year": Question(YEAR, (By.ITEM,)),
    "by operator, a month, with case mix": Question(Days(date(2026, 10, 1), date(2026, 11, 1)), (By.OPERATOR,)),
    "by operator, a year, with case mix": Question(YEAR, (By.OPERATOR,)),
    "one operator by month": Question(YEAR, (By.MONTH,), {By.OPERATOR: "o007"}),
    "by item, a month and 2 odd days (rows)": Question(Days(date(2026, 9, 29), date(2026, 11, 1)), (By.ITEM,)),
}


def measure(rows: int = 1_000_000, seconds: float = 20.0) -> dict[str, Any]:
    """Fill, roll up, ask, record; every duration in the unit its name ends with."""
    found = postgres.binaries()
    if found is None:
        return {"skipped": "PostgreSQL's server is not installed (apt-get install postgresql)"}
    with _server(found) as engine:
        upgrade(engine)
        for month in range(0, 13, 4):
            ensure(engine, datetime(2025, 12, 2, tzinfo=UTC) + timedelta(days=31 * month))
        result: dict[str, Any] = {"rows": rows}
        result["fill_seconds"] = round(_timed(lambda: _fill(engine, rows))[0], 1)
        _vacuum(engine)
        took, result["cells"] = _timed(lambda: rebuild(engine))
        result["rebuild_seconds"] = round(took, 1)
        _vacuum(engine)
        result["statistics_ms"] = {name: _asked(engine, question) for name, question in QUESTIONS.items()}
        result["recorder"] = _recorded(engine, seconds)
    result["sqlite_store_ms"] = _sqlite(seconds)
    return result


@contextmanager
def _server(binaries: Path) -> Iterator[Engine]:
    postgres.OPTIONS = SERVER
    with postgres.cluster(binaries) as folder:
        with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        engine = open_engine(f"postgresql://postgres@/bench?host={folder}")
        try:
            yield engine
        finally:
            engine.dispose()


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    done = work()
    return time.perf_counter() - begin, done


def _fill(engine: Engine, rows: int) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT setseed(0.42)"))
        # the rows are consistent by construction: no reference is looked up ten million times
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(SOURCE.format(rows=rows).replace(":", "\\:")))
        for statement in FILL.split(";\n"):
            if statement.strip():
                connection.execute(text(statement))
        connection.execute(text("DROP TABLE filled"))


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _asked(engine: Engine, question: Question, times: int = 7) -> dict[str, float | None]:
    """Ask as the API does; the first answer (cold) is the worst one shown."""
    took = [_timed(lambda: figures(engine, question, NOW, Manner()))[0] for _ in range(times)]
    return {name: value for name, value in percentiles(took).items() if name != "p99"}


def _calls(engine: Engine, count: int) -> list[SettledCall]:
    """Calls of registered contacts, one grade in ten bad."""
    calls = []
    for number in range(count):
        codes = NewContact(department=f"d{number % 60:02}", item=f"i{number % 500:03}", operator=f"o{number % 200:03}")
        contact = register(engine, KEYS, codes, now=NOW, expires_at=NOW + timedelta(days=1)).id
        grade = "dissatisfied" if number % 10 == 0 else "satisfied"
        answer = GivenAnswer("grade", grade, "2", NOW, {"way": "rfc4733", "position_ms": 4210})
        call = SettledCall(
            id=str(uuid4()), call_id=f"{number}@pbx", node="node-1", flow="survey", flow_version="1+0", trunk=None,
            language="zh-CN", started_at=NOW, answered_at=NOW, ended_at=NOW + timedelta(seconds=9),
            ended_by="service", outcome="rated", attempts=1, match=Match.TOKEN, contact=contact, caller=None,
            answers=(answer,),
        )  # fmt: skip
        calls.append(call)
    return calls


def _recorded(engine: Engine, seconds: float) -> dict[str, float]:
    """Batches as the delivery gives them, one recorder; then the rollups catch up with them."""
    url = engine.url.render_as_string(hide_password=False)
    calls = _calls(engine, int(seconds * 500))
    while fold(engine).left:
        pass
    with closing(Recorder(url, "follow_up", KEYS, clock=lambda: NOW)) as recorder:
        recorder.record(calls[:50])
        rest = calls[50:]
        took, _done = _timed(lambda: [recorder.record(rest[at : at + BATCH]) for at in range(0, len(rest), BATCH)])
    tail, _answer = _timed(lambda: figures(engine, Question(), NOW, Manner()))
    folding, entries = _timed(lambda: _fold_all(engine))
    return {
        "evaluations_per_second": round(len(rest) / took),
        "batch": BATCH,
        "statistics_with_all_that_unfolded_ms": round(tail * 1000, 1),
        "folded_entries_per_second": round(entries / folding) if folding else 0,
    }


def _fold_all(engine: Engine) -> int:
    entries = 0
    while step := fold(engine).entries:
        entries += step
    return entries


def _sqlite(seconds: float, rate: float = 200.0) -> dict[str, float | None]:
    """One evaluation a transaction, so many a second, synchronous=FULL: from its turn to its commit."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/pingjia.db"
        engine = open_engine(url)
        upgrade(engine)
        calls = _calls(engine, int(seconds * rate))
        took = []
        with closing(Recorder(url, "follow_up", KEYS)) as recorder:
            start = time.perf_counter()
            for number, call in enumerate(calls):
                due = start + number / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                recorder.record([call])
                took.append(time.perf_counter() - due)
        engine.dispose()
    return percentiles(took) | {"rate": rate}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="evaluations to fill (10000000 for the record)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each rate is kept")
    arguments = parser.parse_args()
    json.dump(measure(arguments.rows, arguments.seconds), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
