"""Paper forms by the pile: a report of every line, all or nothing, each form number once."""

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select
from test_contacts_api import CONTACTS, on_sqlite, rate

from store.audit import verify
from store.credential import Channel, Scope
from store.database import reading
from store.privacy import FieldCipher
from store.query import Page, evaluations
from store.schema import Contact, Evaluation

if TYPE_CHECKING:
    from conftest import Site
    from werkzeug.test import TestResponse

IMPORT = "/api/v1/evaluations/import"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADER = "form,contact,grade,tags,comment,filled_at,department\n"


def send(site: "Site", body: str | bytes, kind: str = "text/csv", channel: Channel = Channel.PAPER) -> "TestResponse":
    data = body.encode() if isinstance(body, str) else body
    return site.client.post(IMPORT, data=data, content_type=kind, headers=site.key(channel=channel))


def contact(site: "Site", **fields: Any) -> dict[str, Any]:
    return site.client.post(CONTACTS, json=fields, headers=site.key()).get_json()


def refused(answer: "TestResponse") -> dict[str, str]:
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), answer.get_data()
    return {error["pointer"]: error["detail"] for error in answer.get_json()["errors"]}


def stored(site: "Site") -> int:
    return len(list(evaluations(site.engine, Page())))


def test_forms_are_imported_by_id_number_work_order_or_for_themselves(site: "Site") -> None:
    made = [contact(site), contact(site), contact(site, work_order="W1")]
    body = (
        HEADER
        + f"F1,{made[0]['id'].upper()},满意,406 407,很好,2026-11-22,\n"
        + f"F2,{made[1]['number']},very_dissatisfied,,,2026/11/21 09:30,\n"
        + "F3,W1,基本满意,,,,\n"
        + "\n"
        + 'F4,,不满意,"209，214","意见箱,\n第二行",2026-10-01,D1\n'
    )
    answer = send(site, "\ufeff" + body)
    assert answer.status_code == 200, answer.get_data()
    report = answer.get_json()
    assert (report["stored"], report["already"]) == (4, 0)
    assert [(line["line"], line["form"]) for line in report["lines"]] == [(2, "F1"), (3, "F2"), (4, "F3"), (7, "F4")]
    with reading(site.engine) as connection:
        rows = {row["form"]: row for row in connection.execute(select(Evaluation.__table__)).mappings()}
    assert [rows[form]["contact"] for form in ("F1", "F2", "F3")] == [each["id"] for each in made]
    assert {row["channel"] for row in rows.values()} == {"paper"}
    assert rows["F2"]["claimed_at"].isoformat() == "2026-11-21T01:30:00+00:00"
    assert rows["F2"]["recorded_at"] == site.clock()
    assert (rows["F4"]["tags"], rows["F4"]["department"]) == (["209", "214"], "D1")
    assert FieldCipher(site.keys.fields).open(rows["F4"]["comment"], rows["F4"]["id"].encode()) == "意见箱,\n第二行"
    assert list(verify(site.engine, site.keys)) == []
    again = send(site, body).get_json()
    assert (again["stored"], again["already"]) == (0, 4)
    assert stored(site) == 4


def test_one_bad_line_and_nothing_is_imported_and_every_bad_line_says_why(site: "Site") -> None:
    name = contact(site)["id"]
    rated = contact(site)["id"]
    rate(site, rated)
    lines = [
        f"F1,{name},满意,,,,",
        f"F2,{name},满意,,,,",  # one ballot per contact
        f"F3,{rated},满意,,,,",
        "F4,nobody,满意,,,,",
        f"F5,{name},5,,,,",
        f"F6,{name},满意,209,,,",
        f"F7,{name},满意,,,yesterday,",
        f"F8,{name},满意,,,2027-01-01,",
        f",{name},,,,,",
        "F1,,满意,,,,",
        f"F9,{name},满意,,{'x' * 2001},,",
        "F10,,满意,,,,",
    ]
    before = stored(site)
    why = refused(send(site, HEADER + "\n".join(lines)))
    assert list(why) == [f"#/{line}" for line in (*range(3, 13),)]
    assert "evaluated" in why["#/3"]
    assert "evaluated" in why["#/4"]
    assert "not exactly one contact" in why["#/5"]
    assert "two opposite meanings" in why["#/6"]
    assert "209" in why["#/7"]
    assert "no date" in why["#/8"]
    assert "has not been yet" in why["#/9"]
    assert why["#/10"] == "form is missing; grade is missing"
    assert "line 2 too" in why["#/11"]
    assert "2000" in why["#/12"]
    assert stored(site) == before
    with reading(site.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(Contact)) == 2  # nobody was registered for F10


def test_a_form_number_with_another_content_is_another_form(site: "Site") -> None:
    assert send(site, "form,grade,comment\nF1,满意,好\n").status_code == 200
    assert send(site, "form,grade,comment\nF1,满意,好\n").get_json()["already"] == 1
    for other in ("F1,不满意,好", "F1,满意,不好"):
        assert "another content" in refused(send(site, f"form,grade,comment\n{other}\nF2,满意,\n"))["#/2"]
    assert stored(site) == 1


def test_a_workbook_and_a_chinese_export_are_read_alike(site: "Site") -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["表单编号", "评价等级", "填写日期", "意见"])
    sheet.append([1001, "满意", site.clock().replace(tzinfo=None, hour=0, minute=0), None])
    file = io.BytesIO()
    book.save(file)
    assert send(site, file.getvalue(), XLSX).get_json()["stored"] == 1
    in_gb = "表单编号,评价等级,意见\n1002,非常不满意,太慢\n".encode("gb18030")
    assert send(site, in_gb).get_json()["stored"] == 1
    with reading(site.engine) as connection:
        assert set(connection.scalars(select(Evaluation.form))) == {"1001", "1002"}


@on_sqlite
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "text/csv"),
        (b"\xff\xfe\x00\x81", "text/csv"),
        (b"form,form\n1,2\n", "text/csv"),
        (b'form,grade\n"1,2\n', "text/csv"),
        (b"PK\x03\x04 but no more", XLSX),
        ("form,grade\n" + "F,满意\n" * 5001, "text/csv"),
    ],
    ids=["empty", "no text", "one header twice", "open quote", "broken zip", "too many"],
)
def test_what_is_no_table_is_one_sentence(site: "Site", body: str | bytes, kind: str) -> None:
    answer = send(site, body, kind)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert "文件无法读取" in answer.get_json()["detail"]


@on_sqlite
def test_only_a_paper_channel_imports_and_only_files(site: "Site") -> None:
    body = "form,grade\nF1,满意\n"
    assert send(site, body, channel=Channel.WEB).status_code == 403
    assert send(site, body, channel=Channel.CTI).status_code == 403
    assert send(site, body, "application/json").status_code == 415
    assert send(site, b"x" * (9 * 1024 * 1024)).status_code == 413
    scopes = site.key(Scope.CONTACTS_READ, channel=Channel.PAPER)
    assert site.client.post(IMPORT, data=body, content_type="text/csv", headers=scopes).status_code == 403


def test_a_form_late_from_its_box_counts_but_not_for_a_contact_whose_time_is_over(site: "Site") -> None:
    name = contact(site)["id"]
    site.clock.now += timedelta(days=30)
    assert send(site, "form,grade,filled_at\nF1,满意,2026-10-01\n").get_json()["stored"] == 1
    assert "over" in refused(send(site, f"form,contact,grade\nF2,{name},满意\n"))["#/2"]
