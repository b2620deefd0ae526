"""Judges the text layer of a page: good enough, to be read by OCR, or a page without text."""

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from docpipe_assets.model import TextMethod
from docpipe_assets.rules.hashed import HashedSet

FEWEST_DICTIONARY_TOKENS = 10
COMMON_ZIPF = 2.0
"""On wordfreq's scale: a word used once in ten million, well below what a name or a misreading has."""

_HIGHEST_ZIPF = 9.0
_LETTERS = re.compile(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)?")


class Decision(NamedTuple):
    method: TextMethod
    reason: str
    is_doubtful: bool = False
    """OCR is tried, but the layer may still be right: a list of names, or another language."""


def decide(signals: Mapping[str, float]) -> Decision:
    """What to do with a page, from the measurements of its text layer.

    ``signals``, all there save the last two: ``characters``; ``bad_character_share`` (replacement,
    private-use and control characters); ``cid_marks`` (unmapped glyphs); ``one_letter_token_share``;
    ``image_cover``; ``vector_paths``; ``hidden_text_share`` (drawn invisibly, as OCR software leaves
    it); ``ink_outside_words_share``; ``dictionary_share`` (absent when there are too few words).
    """
    cover, paths = signals["image_cover"], signals["vector_paths"]
    characters = signals["characters"]
    if characters == 0:
        if cover >= 0.05:
            return Decision(TextMethod.OCR, f"no text, images cover {cover:.0%} of the page")
        if paths >= 100:
            return Decision(TextMethod.OCR, f"no text, {paths:,.0f} vector paths may draw some")
        return Decision(TextMethod.BLANK, "no text, no image to speak of, few vector paths")
    return (
        _unreadable_characters(signals)
        or _text_in_images(signals)
        or _not_words(signals)
        or Decision(TextMethod.TEXT_LAYER, f"sound text layer of {characters:,.0f} characters")
    )


def _unreadable_characters(signals: Mapping[str, float]) -> Decision | None:
    if signals["bad_character_share"] > 0.05:
        share = signals["bad_character_share"]
        return Decision(TextMethod.OCR, f"{share:.0%} of the characters have no meaning")
    if signals["cid_marks"] >= 5:
        return Decision(TextMethod.OCR, f"{signals['cid_marks']:,.0f} glyphs have no character")
    if signals["one_letter_token_share"] > 0.6:
        share = signals["one_letter_token_share"]
        return Decision(TextMethod.OCR, f"{share:.0%} of the words are single letters")
    return None


def _text_in_images(signals: Mapping[str, float]) -> Decision | None:
    cover, paths, characters = signals["image_cover"], signals["vector_paths"], signals["characters"]
    outside = signals.get("ink_outside_words_share", 0.0)
    if cover >= 0.5 and characters < 100:
        return Decision(
            TextMethod.OCR, f"only {characters:.0f} characters, images cover {cover:.0%} of the page"
        )
    if cover >= 0.5 and outside > 0.5:
        return Decision(TextMethod.OCR, f"{outside:.0%} of the ink of a scanned page lies outside its words")
    if characters < 30 and paths >= 500:
        return Decision(TextMethod.OCR, f"only {characters:.0f} characters, but {paths:,.0f} vector paths")
    return None


def _not_words(signals: Mapping[str, float]) -> Decision | None:
    share = signals.get("dictionary_share")
    is_hidden = signals["hidden_text_share"] >= 0.5
    if share is None or share >= (0.8 if is_hidden else 0.5):
        return None
    kind = "hidden text" if is_hidden else "text"
    return Decision(TextMethod.OCR, f"only {share:.0%} of the {kind} is dictionary words", is_doubtful=True)


def dictionary_share(words: Iterable[str]) -> float | None:
    """The share of the words of letters that occur in English; None where they are too few to say."""
    tokens = [token for word in words for token in _LETTERS.findall(word)]
    if len(tokens) < FEWEST_DICTIONARY_TOKENS:
        return None
    return round(sum(_is_common(token.lower()) for token in tokens) / len(tokens), 4)


def is_word(word: str, least_zipf: float = COMMON_ZIPF) -> bool:
    """Whether a word in lower case is used in English at least so often."""
    return word in words_used(least_zipf)


@lru_cache(maxsize=50_000)
def _is_common(word: str) -> bool:
    return is_word(word.replace("’", "'"))


@cache
def words_used(least_zipf: float) -> HashedSet:
    """The English words that are used at least so often."""
    import wordfreq  # takes a tenth of a second to load

    # The words by frequency, one list for each hundredth on the scale downwards.
    by_frequency = wordfreq.get_frequency_list("en", "best")[: round((_HIGHEST_ZIPF - least_zipf) * 100) + 1]
    common = HashedSet()
    for words in by_frequency:
        for word in words:
            common.add(word)
    wordfreq.get_frequency_list.cache_clear()  # forty megabytes
    return common
