"""One line of a typed-in pile of paper forms (4.5). Rule: what cannot be read for certain is told, never guessed.

PURE. Times without a zone are civil time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from store.contact import CIVIL_TIME, NewContact
from store.grade import Grade
from store.tag_table import TagTable

LONGEST_COMMENT = 2000
_LONGEST = 200

# a column's name, and what clerks head it with
COLUMNS = {
    "form": ("表单编号", "评价表编号"),
    "contact": ("联系编号", "工单号", "办件编号"),
    "grade": ("评价等级", "满意度"),
    "tags": ("评价标签", "标签"),
    "comment": ("文字评价", "意见"),
    "filled_at": ("填写时间", "填写日期", "评价时间"),
    "department": ("部门",),
    "item": ("事项", "事项编码"),
    "operator": ("工作人员",),
    "desk": ("窗口",),
    "area": ("行政区划",),
}
_NAMES = {alias: name for name, aliases in COLUMNS.items() for alias in (name, *aliases)}

GRADES = {
    "非常满意": Grade.VERY_SATISFIED,
    "满意": Grade.SATISFIED,
    "基本满意": Grade.BASICALLY_SATISFIED,
    "不满意": Grade.DISSATISFIED,
    "非常不满意": Grade.VERY_DISSATISFIED,
} | {str(grade): grade for grade in Grade}


@dataclass(frozen=True, slots=True)
class PaperForm:
    """A form as filled in. Without a contact it is one of its own: a suggestion box knows no work order."""

    line: int
    form: str
    contact: str | None
    grade: Grade
    tags: tuple[str, ...]
    comment: str | None
    filled_at: datetime | None
    served: NewContact


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that cannot be taken, with every reason."""

    line: int
    form: str | None
    reasons: tuple[str, ...]


def read_form(line: int, cells: Mapping[str, str], tag_table: TagTable, now: datetime) -> PaperForm | Unread:
    """Read one line."""
    known = {_NAMES[name]: value for name, value in cells.items() if name in _NAMES}
    reasons = [f"there is no column {name}" for name in cells if name not in _NAMES]
    reasons += [
        f"{name} is longer than {limit} characters or holds control characters"
        for name, value in known.items()
        if len(value) > (limit := LONGEST_COMMENT if name == "comment" else _LONGEST)
        or not value.translate(_LINE_BREAKS).isprintable()
    ]
    reasons += [f"{name} is missing" for name in ("form", "grade") if name not in known]
    grade = GRADES.get(known.get("grade", ""))
    if "grade" in known and grade is None:
        reasons.append(
            f"grade {known['grade'][:20]!r} is none of {', '.join(GRADES)}: a digit has two opposite meanings"
        )
    tags = tuple(known.get("tags", "").replace(",", " ").replace("，", " ").replace("、", " ").split())
    if grade and (misfits := tag_table.misfits(grade, tags)):
        reasons.append(f"tag {tags[misfits[0]]} is none of {grade}, or stands there twice")
    filled_at = _moment(known.get("filled_at"))
    if "filled_at" in known and filled_at is None:
        reasons.append("filled_at is no date or time: write 2026-11-22 or 2026-11-22 14:00")
    elif filled_at and filled_at > now:
        reasons.append("filled_at has not been yet")
    if reasons or grade is None:
        return Unread(line, known.get("form"), tuple(reasons))
    served = NewContact(
        department=known.get("department"),
        item=known.get("item"),
        operator=known.get("operator"),
        desk=known.get("desk"),
        area=known.get("area"),
        channel="paper",
        served_at=filled_at,
    )
    return PaperForm(line, known["form"], known.get("contact"), grade, tags, known.get("comment"), filled_at, served)


_LINE_BREAKS = str.maketrans("\r\n\t", "   ")


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat((text or "").replace("/", "-"))
        if not 1970 < moment.year < 2200:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=CIVIL_TIME)).astimezone(UTC)
    except ValueError:
        return None
