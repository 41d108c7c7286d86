"""Civil days in SQL, on both databases. Rule: the day `store.period.civil_day` gives (no summer time since 1991)."""

from typing import Any

from sqlalchemy import Date
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class civil_day(FunctionElement[Any]):  # noqa: N801  it reads as an SQL function
    """The civil day of a moment."""

    type = Date()
    inherit_cache = True


class first_of_month(FunctionElement[Any]):  # noqa: N801
    """The first day of a day's month."""

    type = Date()
    inherit_cache = True


@compiles(civil_day, "sqlite")
def _day_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401  SQLAlchemy's own form
    # without its fraction: SQLite counts in milliseconds and would round a day's last moment into the next
    return f"date(substr({compiler.process(element.clauses, **kw)}, 1, 19), '+8 hours')"


@compiles(civil_day, "postgresql")
def _day_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"CAST(({compiler.process(element.clauses, **kw)}) AT TIME ZONE 'UTC' + INTERVAL '8 hours' AS date)"


@compiles(first_of_month, "sqlite")
def _month_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"date({compiler.process(element.clauses, **kw)}, 'start of month')"


@compiles(first_of_month, "postgresql")
def _month_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"CAST(date_trunc('month', {compiler.process(element.clauses, **kw)}) AS date)"
