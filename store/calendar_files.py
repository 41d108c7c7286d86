"""Year files from disk. Rule: a file that cannot be used is told of and left out; it never stops a process."""

from pathlib import Path

from store.calendar import CalendarMistake, WorkCalendar, YearFile, read_year

SHIPPED = Path(__file__).parent / "calendars"


def load_calendar(site: Path) -> tuple[WorkCalendar, list[str]]:
    """Read the year files shipped and, over them, those of the site's own folder; give the sentences of mistakes."""
    files: dict[int, YearFile] = {}
    mistakes: list[str] = []
    for path in [*_year_files(SHIPPED), *_year_files(site)]:
        try:
            file = read_year(path.read_text("utf-8"), path.name)
        except (CalendarMistake, OSError, UnicodeDecodeError) as error:
            mistakes.append(f"{error}; {path} is left out")
        else:
            files[file.year] = file
    return WorkCalendar(files.values()), mistakes


def _year_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml")) if folder.is_dir() else []
