"""Features of words are cached while they recur, up to the size of the cache."""

import tracemalloc

import pytest

from docpipe_assets.engines.ner.crf import features
from docpipe_assets.engines.ner.crf.features import Featurizer, tokenize
from docpipe_assets.engines.ner.crf.gazetteers import Gazetteer

TEXT = "Mr. Ortega of Pell & Sons, Inc. met Ann O'Brien in Reno; the truck left at 12:30."


def rows(featurizer: Featurizer, text: str) -> list[list[str]]:
    tokens = tokenize(text)
    return featurizer.features(tokens, 0, len(tokens.words), frozenset(["truck", "left"]))


def test_a_word_evicted_from_the_cache_gets_the_same_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_CACHED_WORDS", 3)
    forgetful, fresh = (Featurizer(Gazetteer({"reno": ("city",)}), {"the": 0.05}) for _ in range(2))
    for _ in range(3):
        assert rows(forgetful, TEXT) == rows(fresh, TEXT)


def test_memory_does_not_grow_with_the_words_of_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_CACHED_WORDS", 100)
    featurizer = Featurizer(Gazetteer({}), {})

    def memory_after(words: range) -> int:
        rows(featurizer, " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}x" for n in words))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        assert memory_after(range(300, 600)) < memory_after(range(300)) + 50_000
    finally:
        tracemalloc.stop()
