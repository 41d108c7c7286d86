"""Catalogues over the API: synchronised whole or not at all, versioned, never deleted; rates and rotation of keys."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select
from test_contacts_api import CONTACTS, on_sqlite

from store import credential
from store.audit import verify
from store.catalogue import Kind
from store.credential import Channel, Scope
from store.database import reading
from store.errors import NotFound
from store.schema import CatalogueEntry

if TYPE_CHECKING:
    from conftest import Site

CATALOGUE = "/api/v1/catalogue"


def put(site: "Site", kind: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"entries": list(entries)} | more
    answer = site.client.put(f"{CATALOGUE}/{kind}", json=body, headers=site.key(Scope.CATALOGUE_WRITE))
    return {"status": answer.status_code} | answer.get_json()


def show(site: "Site", kind: str) -> dict[str, tuple[str, int, bool]]:
    answer = site.client.get(f"{CATALOGUE}/{kind}", headers=site.key(Scope.CATALOGUE_READ))
    return {row["code"]: (row["name"], row["version"], row["active"]) for row in answer.get_json()["entries"]}


@pytest.mark.parametrize("kind", list(Kind))
def test_a_change_a_withdrawal_and_a_return_are_versions(site: "Site", kind: str) -> None:
    one, two = {"code": "1", "name": "一"}, {"code": "2", "name": "二", "attributes": {"taskCode": "x"}}
    done = put(site, kind, one, two)
    assert done == {"status": 200, "added": 2, "changed": 0, "withdrawn": 0, "unchanged": 0}
    assert put(site, kind, one, two)["unchanged"] == 2
    assert put(site, kind, one | {"name": "壹"})["withdrawn"] == 1
    assert show(site, kind) == {"1": ("壹", 2, True), "2": ("二", 2, False)}
    assert put(site, kind, two, complete=False)["changed"] == 1
    assert show(site, kind) == {"1": ("壹", 2, True), "2": ("二", 3, True)}
    with reading(site.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(CatalogueEntry)) == 5
    assert list(verify(site.engine, site.keys)) == []


@on_sqlite
@pytest.mark.parametrize(
    ("entries", "pointer"),
    [
        ([{"code": "1", "name": "一"}, {"code": "2"}], "#/entries/1/name"),
        ([{"code": "1", "name": "一"}, {"code": "1", "name": "二"}], "#"),
        ([], "#/entries"),
        ([{"code": "", "name": "x"}], "#/entries/0/code"),
        ([{"code": "1", "name": "x", "nam": "y"}], "#/entries/0/nam"),
    ],
)
def test_a_catalogue_with_one_bad_entry_changes_nothing(site: "Site", entries: list[Any], pointer: str) -> None:
    put(site, "item", {"code": "0", "name": "零"})
    done = put(site, "item", *entries)
    assert (done["status"], done["errors"][0]["pointer"]) == (422, pointer)
    assert show(site, "item") == {"0": ("零", 1, True)}


@on_sqlite
def test_a_catalogue_nobody_knows_is_not_there(site: "Site") -> None:
    assert put(site, "city", {"code": "1", "name": "一"})["status"] == 404


def test_ten_thousand_items_are_one_request(site: "Site") -> None:
    entries = [{"code": f"{number:05}", "name": f"事项{number}" + "长" * 100} for number in range(10_000)]
    assert put(site, "item", *entries)["added"] == 10_000


def test_a_code_no_catalogue_held_is_stored_and_flagged(site: "Site") -> None:
    put(site, "department", {"code": "D1", "name": "户政科"})
    put(site, "department", {"code": "D2", "name": "交警"})  # D1 is withdrawn, and known all the same
    headers = site.key()
    body = {"department": "D1", "item": "I9", "operator": "O9"}
    place = site.client.post(CONTACTS, json=body, headers=headers).headers["Location"]
    found = site.client.get(place, headers=headers).get_json()
    assert (found["department"], found["item"], found["unknown_codes"]) == ("D1", "I9", ["item", "operator"])


def status(site: "Site", key: str) -> int:
    return site.client.get(f"{CATALOGUE}/item", headers={"X-API-Key": key}).status_code


def test_a_channel_changes_over_with_two_good_keys_and_never_three(site: "Site") -> None:
    scopes = frozenset({Scope.CATALOGUE_READ})
    old = credential.add(site.engine, site.keys, "web", channel=Channel.WEB, scopes=scopes, now=site.clock())

    def rotate() -> str:
        site.clock.now += timedelta(minutes=1)
        overlap = timedelta(hours=1)
        return credential.rotate(site.engine, site.keys, "web", overlap=overlap, now=site.clock())

    new = rotate()
    assert [status(site, key) for key in (old, new)] == [200, 200]
    newest = rotate()
    assert [status(site, key) for key in (old, new, newest)] == [401, 200, 200]
    (listed,) = credential.every(site.engine, site.clock())
    assert listed.prefix == [newest.split("_")[1], new.split("_")[1]]
    site.clock.now += timedelta(hours=1)
    assert [status(site, key) for key in (old, new, newest)] == [401, 401, 200]
    credential.revoke(site.engine, "web", site.clock())
    assert status(site, newest) == 401
    with pytest.raises(NotFound):
        rotate()


def test_a_channel_is_held_to_its_rate_and_its_last_use_is_known(site: "Site") -> None:
    scopes = frozenset({Scope.CATALOGUE_READ})
    fast = credential.add(site.engine, site.keys, "fast", channel=Channel.WEB, scopes=scopes, now=site.clock())
    slow = credential.add(
        site.engine, site.keys, "slow", channel=Channel.WEB, scopes=scopes, now=site.clock(), per_minute=6
    )
    found = [status(site, slow) for _ in range(7)]
    assert found == [200] * 5 + [429] * 2
    answer = site.client.get(f"{CATALOGUE}/item", headers={"X-API-Key": slow})
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == "10"
    site.clock.now += timedelta(seconds=10)
    assert [status(site, slow) for _ in range(2)] == [200, 429]
    assert {status(site, fast) for _ in range(200)} == {200}
    used = {row.name: row.last_used_at for row in credential.every(site.engine, site.clock())}
    assert used == {"fast": site.clock(), "slow": site.clock()}
