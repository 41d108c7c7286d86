"""The secret key file: made once, kept close, and a mistake in it is one clear sentence."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.errors import SecretKeyError
from store.privacy import FieldCipher
from store.secret import derive, load_keys


def test_the_first_run_makes_it_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret.key"
    keys = load_keys(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_keys(path) == keys
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.key"]


def test_processes_starting_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: load_keys(tmp_path / "secret.key").handover, range(64)))
    assert len(found) == 1


def test_every_purpose_has_a_key_of_its_own() -> None:
    keys = derive(b"\x00" * 32)
    secrets = {keys.handover, keys.fields.known[0].aes, keys.blind_index, keys.credentials}
    assert len(secrets) == 4
    assert len(keys.site) == 4


def test_the_keys_do_not_print(tmp_path: Path) -> None:
    keys = load_keys(tmp_path / "secret.key")
    assert keys.handover.hex() not in repr(keys)
    assert repr(keys.handover) not in repr(keys)
    assert repr(keys.fields.known[0].aes) not in repr(keys)
    assert repr(keys.fields.known[0].sm4) not in repr(keys)


def test_a_later_line_seals_fields_and_changes_no_other_key(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    before = load_keys(path)
    with path.open("a") as file:
        file.write("2:" + "cd" * 32 + "\n7:" + "ef" * 32 + "\n")
    after = load_keys(path)
    assert [key.number for key in after.fields.known] == [1, 2, 7]
    assert after.fields.known[0] == before.fields.known[0]
    assert FieldCipher(after.fields).key_id == b"\x07"
    assert (after.handover, after.ledger, after.site) == (before.handover, before.ledger, before.site)


_LINE = "ab" * 32


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not hexadecimal",
        "ab" * 31,
        "ü",
        f"{_LINE}\n{_LINE}",
        f"{_LINE}\n1:{_LINE}",
        f"{_LINE}\n128:{_LINE}",
        f"{_LINE}\n2:{_LINE}\n2:{_LINE}",
        f"{_LINE}\n2:ab",
    ],
)
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SecretKeyError, match=r"secret\.key"):
        load_keys(path)


def test_a_file_open_to_others_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    load_keys(path)
    path.chmod(0o644)
    with pytest.raises(SecretKeyError, match="chmod 600"):
        load_keys(path)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretKeyError, match="cannot be read"):
        load_keys(tmp_path)
