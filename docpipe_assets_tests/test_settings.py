"""Settings are read once, and an invalid setting is an error that names it."""

from pathlib import Path

import pytest

from docpipe_assets.errors import ConfigurationError
from docpipe_assets.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DOCPIPE_{name.upper()}", raising=False)


def test_every_field_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCPIPE_PAGES_PER_SPLIT", "7")
    monkeypatch.setenv("DOCPIPE_NER_ENGINES", '["crf"]')
    settings = read_settings()
    assert (settings.pages_per_split, settings.ner_engines) == (7, ("crf",))


def test_an_unknown_variable_is_an_error_that_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCPIPE_PAGE_PER_SPLIT", "7")
    with pytest.raises(ConfigurationError, match="the nearest is DOCPIPE_PAGES_PER_SPLIT"):
        read_settings()


def test_an_impossible_value_is_an_error_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCPIPE_OCR_DPI", "5")
    with pytest.raises(ConfigurationError, match="DOCPIPE_OCR_DPI='5'"):
        read_settings()


def test_without_urls_documents_are_stored_below_the_data_folder() -> None:
    settings = Settings(data_dir=Path("/srv/docpipe"))
    assert settings.intake == "file:///srv/docpipe/intake"
    assert settings.lake == "file:///srv/docpipe/lake"


def test_secrets_are_not_shown() -> None:
    settings = Settings(postgres_url="postgresql+psycopg2://u:hunter2@h/d", broker_url="redis://:hunter2@h")
    assert "hunter2" not in repr(settings) + str(settings.model_dump()) + settings.model_dump_json()


def test_a_mapping_that_is_not_json_is_an_error_naming_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCPIPE_BATCH_PRIORITIES", "acuity=high")
    with pytest.raises(ConfigurationError, match="batch_priorities"):
        read_settings()


def test_a_batch_has_one_of_three_priorities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCPIPE_BATCH_PRIORITIES", '{"acuity": "urgent"}')
    with pytest.raises(ConfigurationError, match="DOCPIPE_BATCH_PRIORITIES"):
        read_settings()
