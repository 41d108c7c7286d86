"""The tag tables: one file a version. Rule: a table in use is never changed; a change is the next file."""

from pathlib import Path

from store.tag_table import TagTable, parse

_HERE = Path(__file__).parent


def newest_tag_table() -> TagTable:
    """Read the newest version; raises `TagTableMistake`."""
    return parse(max(_HERE.glob("*.yaml")).read_text("utf-8"))
