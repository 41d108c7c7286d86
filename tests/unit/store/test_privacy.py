"""Numbers are sealed to their row, masked where shown, and found again in every usual spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import CipherError
from store.privacy import FieldCipher, blind_index, mask_number

KEY, OTHER = b"\x01" * 32, b"\x02" * 32
ROW, OTHER_ROW = b"6f9619ff-8b86-4d01-b42d-00cf4fc964ff", b"00000000-8b86-4d01-b42d-00cf4fc964ff"
NONCE = bytes(12)
NUMBER = "13812345678"

cipher = FieldCipher(KEY)


@given(st.text(max_size=60), st.binary(max_size=40), st.binary(min_size=12, max_size=12))
def test_what_is_sealed_opens_in_its_row(text: str, row: bytes, nonce: bytes) -> None:
    sealed = cipher.seal(text, row, nonce)
    assert cipher.open(sealed, row) == text
    assert len(sealed) == 1 + 12 + len(text.encode()) + 16


@given(st.integers(0, 8 * (1 + 12 + len(NUMBER) + 16) - 1))
def test_any_changed_bit_is_noticed(bit: int) -> None:
    sealed = bytearray(cipher.seal(NUMBER, ROW, NONCE))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CipherError):
        cipher.open(bytes(sealed), ROW)


def test_a_field_moved_to_another_row_does_not_open() -> None:
    with pytest.raises(CipherError, match="another row"):
        cipher.open(cipher.seal(NUMBER, ROW, NONCE), OTHER_ROW)


def test_another_key_or_key_id_does_not_open() -> None:
    sealed = cipher.seal(NUMBER, ROW, NONCE)
    for wrong in (FieldCipher(OTHER), FieldCipher(KEY, key_id=2)):
        with pytest.raises(CipherError):
            wrong.open(sealed, ROW)


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
