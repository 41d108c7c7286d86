"""Who gave an evaluation is shown for a reason that is kept, and to nobody else (4.9)."""

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from test_contacts_api import rate

from store.audit import verify
from store.credential import Channel, Scope
from store.privacy import FieldCipher
from store.query import Page
from store.reveal import reveals

if TYPE_CHECKING:
    from conftest import Site

NUMBER, WORDS = "13812345678", "窗口态度很差，让我跑了三趟"
LOOK = {"reason": "回访核实", "by": "王芳"}


@pytest.fixture
def contact(site: "Site") -> str:
    """A contact with a number, and an evaluation with words."""
    made = site.client.post("/api/v1/contacts", json={"caller": NUMBER, "operator": "O1"}, headers=site.key())
    body = {"contact": made.get_json()["id"], "grade": "dissatisfied", "comment": WORDS}
    given = site.client.post("/api/v1/evaluations", json=body, headers=site.key(channel=Channel.WEB))
    assert given.status_code == 201
    return str(made.get_json()["id"])


def look(site: "Site", subject: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return site.client.post(
        f"/api/v1/contacts/{subject}/reveal",
        json=LOOK | body,
        headers=headers or site.key(Scope.CONTACTS_REVEAL),
    )


def test_a_look_shows_what_was_asked_for_and_leaves_a_row(site: "Site", contact: str) -> None:
    answer = look(site, contact)
    assert (answer.status_code, answer.get_json()["caller"], answer.get_json()["comments"]) == (200, NUMBER, [])
    words = look(site, contact, fields=["comment"]).get_json()
    assert (words["caller"], [row["comment"] for row in words["comments"]]) == (None, [WORDS])
    rows = list(reveals(site.engine, FieldCipher(site.keys.fields), Page(), contact))
    # both at one moment of the test's clock: which is listed first is left to their ids
    assert sorted((row.by, row.reason, row.fields, row.contact) for row in rows) == [
        ("王芳", "回访核实", ["caller"], contact),
        ("王芳", "回访核实", ["comment"], contact),
    ]
    assert all(row.credential and row.at == site.clock() for row in rows)
    assert answer.get_json()["reveal"] in {row.id for row in rows}
    assert list(verify(site.engine, site.keys)) == []


def test_a_look_changed_or_taken_back_is_found(site: "Site", contact: str) -> None:
    row = look(site, contact).get_json()["reveal"]
    with site.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE reveal SET by = '别人'")
    assert [(finding.table, finding.row) for finding in verify(site.engine, site.keys)] == [("reveal", row)]
    with site.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM reveal")
    assert [finding.kind for finding in verify(site.engine, site.keys)] == ["missing"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": ""}, "#/reason"),
        ({"reason": " "}, "#/reason"),
        ({"reason": "x" * 501}, "#/reason"),
        ({"by": ""}, "#/by"),
        ({"fields": []}, "#/fields"),
        ({"fields": ["name"]}, "#/fields/0"),
        ({"more": 1}, "#/more"),
    ],
)
def test_a_look_without_a_reason_or_a_person_shows_nothing(
    site: "Site", contact: str, body: dict[str, Any], pointer: str
) -> None:
    answer = look(site, contact, **body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert list(reveals(site.engine, FieldCipher(site.keys.fields), Page())) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nobody_is_404_and_leaves_no_row(site: "Site") -> None:
    assert look(site, str(uuid4())).status_code == 404
    assert list(reveals(site.engine, FieldCipher(site.keys.fields), Page())) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("channel", [channel for channel in Channel if channel is not Channel.CTI])
def test_what_asks_at_the_counter_never_looks_whatever_its_key_was_given(
    site: "Site", contact: str, channel: Channel
) -> None:
    assert look(site, contact, site.key(*Scope, channel=channel)).status_code == 403


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_key_looks_only_if_it_was_given_the_scope_by_name(site: "Site", contact: str) -> None:
    assert look(site, contact, site.key(*(set(Scope) - {Scope.CONTACTS_REVEAL}))).status_code == 403
    assert look(site, contact, site.key()).status_code == 403


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_answer_of_the_api_holds_the_number_or_the_words_without_a_look(site: "Site", contact: str) -> None:
    """Every GET of the API, by every channel with all scopes but one, and the contact's own evaluations and case."""
    rate(site, contact)
    places = _places(site, contact)
    assert len(places) > 5
    for channel in Channel:
        headers = site.key(*(set(Scope) - {Scope.CONTACTS_REVEAL}), channel=channel)
        for place in places:
            answer = site.client.get(place, headers=headers)
            assert answer.status_code < 500, place
            text = json.dumps(answer.get_json(silent=True), ensure_ascii=False) + answer.get_data(as_text=True)
            assert NUMBER not in text, place
            assert WORDS not in text, place


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_evaluated_side_sees_not_even_the_last_digits(site: "Site", contact: str) -> None:
    """A department's or an operator's key reads, and neither registers nor reveals."""
    reading = set(Scope) - {Scope.CONTACTS_REVEAL, Scope.CONTACTS_WRITE}
    for headers in (site.key(*reading), site.key(channel=Channel.WINDOW)):
        for place in _places(site, contact):
            assert NUMBER[-4:] not in _without_ids(site.client.get(place, headers=headers).get_data(as_text=True)), (
                place
            )
        assert site.client.get(f"/api/v1/contacts/{contact}", headers=headers).get_json()["caller"] is None


def _places(site: "Site", contact: str) -> list[str]:
    """Every address of the API that can be read, with the ids of what is there."""
    cases = site.client.get("/api/v1/cases", headers=site.key(*Scope)).get_json(silent=True) or {}
    found = {"contact": contact, "case": (cases.get("cases") or [{"id": contact}])[0]["id"]}
    places = []
    for rule in site.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.rule.startswith("/api/"):
            values = dict.fromkeys(rule.arguments, found["case" if "/cases" in rule.rule else "contact"])
            with site.app.test_request_context():
                try:
                    places.append(site.app.url_for(rule.endpoint, **values))
                except Exception:  # noqa: BLE001  an argument that takes no id: a kind of catalogue
                    continue
    return places


def _without_ids(text: str) -> str:
    """Ids and times may hold any four digits."""
    return re.sub(r'"(?:[0-9a-f]{8}-[0-9a-f-]{27}|PJ[0-9]{8}-[0-9A-F]{10}|20[0-9T:.Z-]+)"', '""', text)
