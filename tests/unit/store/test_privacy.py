"""Numbers are sealed to their row, masked where shown, and found again in every usual spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import CipherError
from store.privacy import FieldCipher, FieldKey, FieldKeys, Suite, _sm4_seal, blind_index, mask_number

KEY, OTHER = b"\x01" * 32, b"\x02" * 32
ROW, OTHER_ROW = b"6f9619ff-8b86-4d01-b42d-00cf4fc964ff", b"00000000-8b86-4d01-b42d-00cf4fc964ff"
NONCE = bytes(12)
NUMBER = "13812345678"

FIRST, SECOND = FieldKey(1, KEY, KEY[:16]), FieldKey(2, OTHER, OTHER[:16])
cipher = FieldCipher(FieldKeys((FIRST,)))
sm4 = FieldCipher(FieldKeys((FIRST,), Suite.SM4_GCM))
both_suites = pytest.mark.parametrize("cipher", [cipher, sm4], ids=[str(suite) for suite in Suite])


@both_suites
@given(st.text(max_size=60), st.binary(max_size=40), st.binary(min_size=12, max_size=12))
def test_what_is_sealed_opens_in_its_row(cipher: FieldCipher, text: str, row: bytes, nonce: bytes) -> None:
    sealed = cipher.seal(text, row, nonce)
    assert cipher.open(sealed, row) == text
    assert len(sealed) == 1 + 12 + len(text.encode()) + 16


@both_suites
@given(st.integers(0, 8 * (1 + 12 + len(NUMBER) + 16) - 1))
def test_any_changed_bit_is_noticed(cipher: FieldCipher, bit: int) -> None:
    sealed = bytearray(cipher.seal(NUMBER, ROW, NONCE))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CipherError):
        cipher.open(bytes(sealed), ROW)


@both_suites
def test_a_field_moved_to_another_row_does_not_open(cipher: FieldCipher) -> None:
    with pytest.raises(CipherError, match="another row"):
        cipher.open(cipher.seal(NUMBER, ROW, NONCE), OTHER_ROW)


def test_another_key_or_key_id_does_not_open() -> None:
    sealed = cipher.seal(NUMBER, ROW, NONCE)
    for wrong in (FieldKey(1, OTHER, OTHER[:16]), FieldKey(2, KEY, KEY[:16])):
        with pytest.raises(CipherError):
            FieldCipher(FieldKeys((wrong,))).open(sealed, ROW)


def test_the_last_key_seals_and_every_known_key_opens() -> None:
    rotated = FieldCipher(FieldKeys((FIRST, SECOND), Suite.SM4_GCM))
    sealed = rotated.seal(NUMBER, ROW, NONCE)
    assert sealed[:1] == rotated.key_id == b"\x82"
    assert {
        rotated.open(each, ROW) for each in (sealed, cipher.seal(NUMBER, ROW, NONCE), sm4.seal(NUMBER, ROW, NONCE))
    } == {NUMBER}
    with pytest.raises(CipherError, match="key 2"):
        cipher.open(sealed, ROW)


def test_sm4_gcm_is_that_of_rfc_8998() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    nonce = bytes.fromhex("00001234567800000000abcd")
    clear = b"".join(bytes([byte]) * 8 for byte in b"\xaa\xbb\xcc\xdd\xee\xff\xee\xaa")
    expected = "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    expected += "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    assert _sm4_seal(key, nonce, clear, bound).hex() == expected + "83de3541e4c2b58177e065a9bf7b62ec"


@pytest.mark.parametrize("length", [0, 1, 28])
def test_too_few_bytes_are_refused(length: int) -> None:
    with pytest.raises(CipherError):
        cipher.open(b"\x01" * length, ROW)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13812345678", "138****5678"),
        ("+86 138-1234-5678", "861******5678"),
        ("04341234567", "043****4567"),
        ("１３８１２３４５６７８", "138****5678"),
        ("1234567", "****"),
        ("1234567890", "****"),
        ("alice", "****"),
        ("", "****"),
    ],
)
def test_a_masked_number_shows_its_ends_or_nothing(number: str, shown: str) -> None:
    assert mask_number(number) == shown


@given(st.text(alphabet="0123456789+- ", max_size=20))
def test_a_mask_always_hides_four_digits(number: str) -> None:
    shown = mask_number(number)
    assert shown.count("*") >= 4
    assert sum(character.isdigit() for character in shown) <= 7


def test_one_number_has_one_index_in_every_usual_spelling() -> None:
    spellings = [
        "13812345678",
        "+8613812345678",
        "0086 138 1234 5678",
        "013812345678",
        "8613812345678",
        " 138-1234-5678 ",
    ]
    assert len({blind_index(number, KEY) for number in spellings}) == 1


def test_different_numbers_and_different_keys_have_different_indexes() -> None:
    numbers = ["13812345678", "13812345679", "04341234567", "05341234567", "8613812345670"]
    assert len({blind_index(number, KEY) for number in numbers}) == len(numbers)
    assert blind_index(NUMBER, KEY) != blind_index(NUMBER, OTHER)
