"""A site's choices about cases, from its settings. Rule: whoever opens an office reads them here."""

from datetime import timedelta

import structlog

from settings import Settings
from store.attachment import Shelf
from store.calendar_files import load_calendar
from store.case_act import Office
from store.case_policy import Policy
from store.database import Engine
from store.reminder import Ahead
from store.secret import Keys

log = structlog.get_logger("cases")


def policy(settings: Settings) -> Policy:
    """Give the choices, the calendar read anew; mistakes in year files go to the log."""
    calendar, mistakes = load_calendar(settings.calendars or settings.data_dir / "calendars")
    for mistake in mistakes:
        log.error("year file", mistake=mistake)
    ahead = Ahead(
        call_back=timedelta(hours=settings.remind_call_back_hours),
        rectify=timedelta(days=settings.remind_rectify_days),
        objection=timedelta(hours=settings.remind_objection_hours),
    )
    return Policy(calendar, settings.roll_forward, ahead, settings.objection_decision_days)


def office(settings: Settings, engine: Engine, keys: Keys) -> Office:
    """Give the place where cases are worked on."""
    return Office(engine, keys, policy(settings))


def shelf(settings: Settings) -> Shelf:
    """Give where attachments lie."""
    return Shelf(settings.data_dir / "attachments", settings.attachment_max_mib * 2**20)
