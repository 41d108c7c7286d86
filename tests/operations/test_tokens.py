"""What the token in a call says ends up in its record: ours, of another site, forged, too late, or used before."""

import base64
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import requests
from outside.phone import Phone
from outside.service import Row, Service
from outside.waiting import until

PickUp = Callable[..., Phone]


def rate(phone: Phone, user: str, key: str = "2", **headers: str) -> str:
    """A rated call to this user part; its Call-ID. Whatever the token says, the caller is asked and thanked."""
    call_id = phone.dial(user, **headers)
    phone.asked()
    phone.press(key)
    phone.hung_up_on()
    assert phone.audio.prompts[-1] == "thanks"
    return call_id


@pytest.mark.parametrize(
    ("user", "header"),
    [
        ("{token}", {}),
        ("12345{token}", {}),
        ("survey", {"X_Evaluation_Token": "{token}"}),
        ("survey", {"User_to_User": "{hex};encoding=hex"}),
        ("survey", {"Refer_To": "<sip:survey@127.0.0.1?X-Evaluation-Token={token}>"}),
    ],
    ids=["user part", "after a dialled prefix", "header of our own", "User-to-User", "Refer-To"],
)
def test_a_token_binds_the_call_to_its_contact_wherever_it_stands(
    service: Service, pick_up: PickUp, user: str, header: dict[str, str]
) -> None:
    contact = service.contact("--work-order", f"WO-{user[:5]}-{'-'.join(header)}")
    words = {"token": contact["token"], "hex": contact["token"].encode().hex()}
    placed = {name: value.format(**words) for name, value in header.items()}
    call_id = rate(pick_up(service), user.format(**words), **placed)
    row = service.evaluation(call_id)
    assert (row["match"], row["contact"], row["round"]) == ("token", contact["id"], 1)
    assert service.call(call_id)["contact"] == contact["id"]
    shown = service.run("contact", "show", contact["id"], "--format", "json")
    assert '"outcome":"rated"' in shown.replace(" ", "")


def test_a_contact_registered_over_http_shows_its_outcome(service: Service, pick_up: PickUp) -> None:
    key = service.run("channels", "add", f"cti-{time.monotonic_ns()}", "--channel", "cti").strip()
    address, headers = f"http://127.0.0.1:{service.http}/api/v1/contacts", {"Authorization": f"Bearer {key}"}
    made = requests.post(address, json={"work_order": "WO-1", "language": "en"}, headers=headers, timeout=10)
    assert made.status_code == 201, made.text
    contact = made.json()
    user = contact["transfer_uri"].removeprefix("sip:").partition("@")[0]
    service.evaluation(rate(pick_up(service), user))
    shown = requests.get(f"{address}/{contact['id']}", headers=headers, timeout=10)
    assert shown.status_code == 200
    assert shown.json()["outcome"] == "rated"
    assert contact["transfer_uri"].endswith(f"@{service.address}")


def test_a_token_survives_the_case_a_pbx_gives_it(service: Service, pick_up: PickUp) -> None:
    contact = service.contact()
    row = service.evaluation(rate(pick_up(service), contact["token"].upper()))
    assert (row["match"], row["contact"]) == ("token", contact["id"])


def test_the_contacts_language_is_spoken(service: Service, pick_up: PickUp) -> None:
    contact = service.contact("--language", "en")
    phone = pick_up(service)
    rate(phone, contact["token"])
    assert {each.language for each in phone.audio.heard} == {"en"}


def test_a_second_call_with_one_token_is_a_second_round(service: Service, pick_up: PickUp) -> None:
    contact = service.contact()
    first = service.evaluation(rate(pick_up(service), contact["token"], "5"))
    second = service.evaluation(rate(pick_up(service), contact["token"], "1"))
    assert (first["round"], second["round"]) == (1, 2)
    assert {first["contact"], second["contact"]} == {contact["id"]}
    assert [row["grade"] for row in rows_of(service, contact)] == ["very_dissatisfied", "very_satisfied"]


def rows_of(service: Service, contact: Row) -> list[Row]:
    """The evaluations of one contact, oldest first."""
    return [row for row in service.evaluations() if row["contact"] == contact["id"]]


def test_a_second_call_can_be_refused_by_setting(launch: Callable[..., Service], pick_up: PickUp) -> None:
    strict = launch(repeat="refuse")
    contact = strict.contact()
    strict.evaluation(rate(pick_up(strict), contact["token"], "5"))
    again = strict.call(rate(pick_up(strict), contact["token"], "1"))
    assert (again["outcome"], again["match"]) == ("rated", "token")
    assert [row["grade"] for row in rows_of(strict, contact)] == ["very_dissatisfied"], "the first stands alone"


@pytest.fixture
def elsewhere(launch: Callable[..., Service]) -> Service:
    """An installation with a secret of its own: another site. Only its commands are used."""
    other: Service = launch.prepare()  # type: ignore[attr-defined]
    other.run("db", "upgrade")
    return other


def test_a_token_of_another_site_is_told_apart_and_the_caller_asked(
    service: Service, elsewhere: Service, pick_up: PickUp
) -> None:
    row = service.evaluation(rate(pick_up(service), elsewhere.contact()["token"]))
    assert (row["match"], row["contact"], row["grade"]) == ("foreign", None, "satisfied")


def test_a_damaged_token_is_forged_and_the_caller_asked(service: Service, pick_up: PickUp) -> None:
    token = service.contact()["token"]
    for other in ("a", "b"):
        damaged = token[:40] + other + token[41:]
        if damaged != token:
            break
    row = service.call(rate(pick_up(service), damaged))
    assert (row["match"], row["contact"], row["outcome"]) == ("forged", None, "rated")


def test_a_token_with_a_made_up_signature_is_forged(service: Service, pick_up: PickUp) -> None:
    """All but the signature as it should be, the checksum of the whole put right: what somebody would try."""
    token = service.contact()["token"]
    raw = bytearray(base64.b32decode(token[2:].upper()))
    raw[26] ^= 1
    raw[42:] = hashlib.sha256(raw[:42]).digest()[:3]
    row = service.call(rate(pick_up(service), "pj" + base64.b32encode(raw).decode().lower()))
    assert (row["match"], row["contact"]) == ("forged", None)


def test_a_token_too_late_is_expired_and_still_names_its_contact(
    launch: Callable[..., Service], pick_up: PickUp
) -> None:
    brief = launch(token_hours=0.0003)
    contact = brief.contact()
    expiry = datetime.fromisoformat(contact["expires_at"])
    until(lambda: datetime.now(UTC) > expiry, "the token's end")
    row = brief.call(rate(pick_up(brief), contact["token"]))
    assert row["match"] == "expired"
    assert row["outcome"] == "rated"


def test_a_token_whose_contact_no_store_knows_is_bound_to_nobody(
    launch: Callable[..., Service], service: Service, pick_up: PickUp
) -> None:
    """Same secret, another database: restored from an old backup."""
    other = launch(secret_key_file=service.data / "secret.key")
    row = other.call(rate(pick_up(other), service.contact()["token"]))
    assert (row["match"], row["contact"], row["outcome"]) == ("unknown", None, "rated")


def test_where_only_contacts_may_call_others_are_refused(launch: Callable[..., Service], pick_up: PickUp) -> None:
    strict = launch(unmatched="refuse")
    assert pick_up(strict).refused("survey").status == 403
    assert pick_up(strict).refused("pj" + "a" * 72).status == 403
    row = strict.evaluation(rate(pick_up(strict), strict.contact()["token"]))
    assert row["match"] == "token"
