"""Every sentence of the web has its Chinese, and the compiled catalogues are those of the texts."""

import io
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import web

FOLDER = Path(web.__file__).parent / "translations"
LANGUAGES = ["zh_Hans", "en"]


def texts(language: str) -> Catalog:
    content = (FOLDER / language / "LC_MESSAGES" / "messages.po").read_bytes()
    return read_po(io.BytesIO(content), locale=language)


def said() -> set[str]:
    """Every sentence the code asks a translation for."""
    found = extract_from_dir(FOLDER.parent, method_map=[("**.py", "python")], keywords={"_": None})
    return {message for _file, _line, message, *_rest in found if isinstance(message, str)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_has_its_text_and_no_text_is_left_over(language: str) -> None:
    catalogue = texts(language)
    assert {message.id for message in catalogue if message.id} == said()
    assert all(message.string and not message.fuzzy for message in catalogue if message.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_values_in_a_sentence_are_kept_in_its_translation(language: str) -> None:
    for message in texts(language):
        for problem in message.check(texts(language)) if message.id else ():
            pytest.fail(f"{message.id}: {problem}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_texts(language: str) -> None:
    compiled = read_mo(io.BytesIO((FOLDER / language / "LC_MESSAGES" / "messages.mo").read_bytes()))
    given = {message.id: message.string for message in texts(language) if message.id}
    assert {message.id: message.string for message in compiled if message.id} == given, (
        "run: .venv/bin/pybabel compile -d web/translations"
    )
