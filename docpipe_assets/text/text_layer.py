"""Judges the text layer of a page: sound, to be read by OCR (additionally or instead), or without text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from docpipe_assets.lazy import once
from docpipe_assets.model import TextMethod
from docpipe_assets.streaming.hashed import HashedSet
from docpipe_assets.text.languages import foreign_letter_share, language_of

COMMON_ZIPF = 2.0
"""On wordfreq's scale: a word used once in ten million, far more frequent than a name or a misreading."""
SOUND_SHARE, SOUND_HIDDEN_SHARE = 0.45, 0.8
"""Minimum share of dictionary words in visible text, and in text that OCR software left behind."""
SHARE_FOR_JOINTS = 2.0
"""The required share of dictionary words grows by this factor with the share of odd joints: lists of rare
names are well-formed, text with a wrong font encoding is not."""
UNREAD_INCHES = 3.0
"""Minimum length of text-like lines outside all words; shorter ones may be a logo or a signature."""
UNREAD_INK_SHARE = 0.3
"""Minimum share of the outside ink in these lines; for pictures and drawings it is below a tenth."""
UNREAD_INCHES_IN_PICTURES = 15.0
"""Length above which the lines are text regardless of other ink: two lines across the page, more than
pictures produce."""
MAX_EMPTY_WORDS_SHARE = 0.25
"""Maximum share of hidden words in whose boxes the page is white."""
GAP_INK_RATIO = 0.6
"""Ink in the gaps between hidden words, divided by the ink inside their boxes, both per area. Above this, the
words belong to another text: correct boxes that are off by a point give less than half, the boxes of other
words about 1."""
MAX_BAD_CHARACTER_SHARE = 0.05
"""Maximum share of replacement, private-use and control characters."""
MIN_CID_MARKS = 5
"""Number of unmapped glyphs from which the page is read by OCR."""
MAX_ONE_LETTER_TOKEN_SHARE = 0.6
"""Maximum share of tokens of one letter; above it, the letters of words are placed one by one."""
MAX_ODD_CHARACTER_SHARE = 0.2
"""Maximum share of characters that are neither letters, digits nor common signs."""
HIDDEN_SHARE = 0.5
"""Share of invisible text from which the layer counts as that of OCR software."""
SCANNED_COVER = 0.5
"""Share of the page area that images cover, from which the page counts as scanned."""
MAX_OUTSIDE_INK_SHARE = 0.5
"""Maximum share of the ink of a scanned page outside the words of its hidden text."""
MIN_IMAGE_COVER = 0.05
"""Share of the page area that images cover, from which a page without text may show some."""
MIN_VECTOR_PATHS = 100
"""Number of vector paths from which a page without text may show some: letters drawn as outlines."""
FEW_CHARACTERS_WITH_IMAGES, FEW_CHARACTERS_WITH_PATHS = 100, 30
"""Below these numbers of characters, a scanned page, or one with ``MANY_VECTOR_PATHS``, may have further
text: the layer may be only a stamp or a page number."""
MANY_VECTOR_PATHS = 500
NAMED_IMAGE_COVER = 0.02
"""Share of the page area that images cover, from which the reason names them and not the vector paths."""
MIN_DICTIONARY_TOKENS = 10
"""Minimum number of words for a share of dictionary words."""

_HIGHEST_ZIPF = 9.0
"""Zipf value of the first list that wordfreq returns by frequency; each further list is a hundredth lower."""
_SAMPLE_WORDS, _WORD_CHARACTERS = 10_000, 200
"""Maximum number of words that are measured, and of characters of each: they bound the time for a page."""
_LETTERS = re.compile(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)?")
_UNSPACED = frozenset(("zh", "ja"))
"""Written without spaces: only the characters can be checked."""
_ORDINARY = re.compile(r"[\w\s.,;:!?'\"’‘“”()\[\]/&$%€£§¶#*+=<>@|°•·…–—_-]")


_JOINTS = re.compile(
    r"""(?<=[a-z])[A-Z] | (?<=[^\W\d_])\d | (?<=\d)[^\W\d_]
    | (?<=[^\W_])[!"\#$%&*+<>?\\^`{|}~](?=[^\W_])""",
    re.VERBOSE,
)


class Decision(NamedTuple):
    method: TextMethod
    reason: str
    is_doubtful: bool = False
    """OCR is tried, but the layer may be right: a list of names, or another language."""


def decide(signals: Mapping[str, float]) -> Decision:
    """Decide about a page from the measurements of its text layer.

    =========================== ======= ======= ==========================================================
    signal                      unit    present meaning
    =========================== ======= ======= ==========================================================
    ``characters``              number  always  characters of the text layer
    ``bad_character_share``     0 to 1  always  replacement, private-use and control characters
    ``cid_marks``               number  always  unmapped glyphs
    ``one_letter_token_share``  0 to 1  always  tokens of one letter
    ``image_cover``             0 to 1  always  page area that images cover
    ``vector_paths``            number  always  paths drawn on the page
    ``hidden_text_share``       0 to 1  always  text that is drawn invisibly, as OCR software does
    ``odd_character_share``     0 to 1  words   characters of the words that are not ordinary
    ``odd_joint_share``         0 to 1  words   a capital after a small letter, or a digit or a sign beside
                                                a letter, among all neighbours in words
    ``dictionary_share``        0 to 1  words   letters in dictionary words, from ``MIN_DICTIONARY_TOKENS`` on
    ``ink_outside_words_share`` 0 to 1  ink     ink outside all words
    ``words_without_ink_share`` 0 to 1  ink     words where the page is white
    ``gap_ink_ratio``           ratio   ink     see ``GAP_INK_RATIO``
    ``line_inches``             inches  ink     text-like lines
    ``unread_line_inches``      inches  ink     text-like lines outside all words
    ``unread_line_ink_share``   0 to 1  ink     outside ink in these lines
    =========================== ======= ======= ==========================================================

    *words*: from ``word_measures``; *ink*: from ``engines.pdf.ink``, if the page has images, many paths or
    hidden text.
    """
    characters = signals["characters"]
    if characters == 0:
        return _without_text(signals)
    return (
        _unreadable_characters(signals)
        or _mismatched_hidden_text(signals)
        or _not_words(signals)
        or _text_in_images(signals)
        or Decision(TextMethod.TEXT_LAYER, f"sound text layer of {characters:,.0f} characters")
    )


def _without_text(signals: Mapping[str, float]) -> Decision:
    cover, paths = signals["image_cover"], signals["vector_paths"]
    if cover >= MIN_IMAGE_COVER:
        return Decision(TextMethod.OCR, f"no text, images cover {cover:.0%} of the page")
    if paths >= MIN_VECTOR_PATHS:
        return Decision(TextMethod.OCR, f"no text, {paths:,.0f} vector paths may draw some")
    return Decision(TextMethod.BLANK, "no text, no image to speak of, few vector paths")


def _unreadable_characters(signals: Mapping[str, float]) -> Decision | None:
    if signals["bad_character_share"] > MAX_BAD_CHARACTER_SHARE:
        share = signals["bad_character_share"]
        return Decision(TextMethod.OCR, f"{share:.0%} of the characters have no meaning")
    if signals["cid_marks"] >= MIN_CID_MARKS:
        return Decision(TextMethod.OCR, f"{signals['cid_marks']:,.0f} glyphs have no character")
    if signals["one_letter_token_share"] > MAX_ONE_LETTER_TOKEN_SHARE:
        share = signals["one_letter_token_share"]
        return Decision(TextMethod.OCR, f"{share:.0%} of the words are single letters")
    if signals.get("odd_character_share", 0.0) > MAX_ODD_CHARACTER_SHARE:
        share = signals["odd_character_share"]
        return Decision(TextMethod.OCR, f"{share:.0%} of the characters are no part of any text")
    return None


def _mismatched_hidden_text(signals: Mapping[str, float]) -> Decision | None:
    """An earlier OCR's text that differs from the visible text, or covers only a part of it."""
    outside = signals.get("ink_outside_words_share", 0.0)
    if signals["hidden_text_share"] < HIDDEN_SHARE:
        return None
    if signals["image_cover"] >= SCANNED_COVER and outside > MAX_OUTSIDE_INK_SHARE:
        return Decision(TextMethod.OCR, f"{outside:.0%} of the ink of a scanned page lies outside its words")
    empty = signals.get("words_without_ink_share", 0.0)
    if empty > MAX_EMPTY_WORDS_SHARE:
        return Decision(TextMethod.OCR, f"{empty:.0%} of the hidden words stand where the page is white")
    if signals.get("gap_ink_ratio", 0.0) > GAP_INK_RATIO:
        return Decision(TextMethod.OCR, "the hidden words do not end where those on the page do")
    unread, all_lines = signals.get("unread_line_inches", 0.0), signals.get("line_inches", 0.0)
    if leaves_lines(signals):
        return Decision(TextMethod.OCR, f'{unread:.0f}" of {all_lines:.0f}" of lines have no hidden text')
    return None


def _text_in_images(signals: Mapping[str, float]) -> Decision | None:
    """A layer that may be sound, but is incomplete."""
    cover, paths, characters = signals["image_cover"], signals["vector_paths"], signals["characters"]
    if cover >= SCANNED_COVER and characters < FEW_CHARACTERS_WITH_IMAGES:
        return Decision(
            TextMethod.BOTH, f"only {characters:.0f} characters, images cover {cover:.0%} of the page"
        )
    if leaves_lines(signals):
        unread = signals["unread_line_inches"]
        where = f"images cover {cover:.0%}" if cover >= NAMED_IMAGE_COVER else f"{paths:,.0f} vector paths"
        return Decision(
            TextMethod.BOTH, f'{unread:.0f}" of lines without text where {where} of a page with a sound layer'
        )
    if characters < FEW_CHARACTERS_WITH_PATHS and paths >= MANY_VECTOR_PATHS:
        return Decision(TextMethod.BOTH, f"only {characters:.0f} characters, but {paths:,.0f} vector paths")
    return None


def _not_words(signals: Mapping[str, float]) -> Decision | None:
    share = signals.get("dictionary_share")
    is_hidden = signals["hidden_text_share"] >= HIDDEN_SHARE
    required_share = SOUND_SHARE + SHARE_FOR_JOINTS * signals.get("odd_joint_share", 0.0)
    if share is None or share >= (
        SOUND_HIDDEN_SHARE if is_hidden else min(required_share, SOUND_HIDDEN_SHARE)
    ):
        return None
    kind = "hidden text" if is_hidden else "text"
    return Decision(TextMethod.OCR, f"only {share:.0%} of the {kind} is dictionary words", is_doubtful=True)


def leaves_lines(signals: Mapping[str, float], prefix: str = "") -> bool:
    """Whether there are text-like lines outside all words, by the measurements with this prefix."""
    inches = signals.get(f"{prefix}unread_line_inches", 0.0)
    share = signals.get(f"{prefix}unread_line_ink_share", 1.0)
    return inches >= UNREAD_INCHES_IN_PICTURES or (inches >= UNREAD_INCHES and share >= UNREAD_INK_SHARE)


def word_measures(words: Sequence[str]) -> dict[str, float]:
    """The word measurements that ``decide`` uses, from any source of words.

    On very long pages only the first words are measured.
    """
    words = [word[:_WORD_CHARACTERS] for word in words[:_SAMPLE_WORDS]]
    text = "".join(words)
    foreign = foreign_letter_share(words)
    odd = len(text) - len(_ORDINARY.findall(text))
    pairs = len(text) - len(words)
    joints = len(_JOINTS.findall(" ".join(words)))
    found = {
        "odd_character_share": round(odd / len(text), 4) if text else 0.0,
        "odd_joint_share": round(joints / pairs, 4) if pairs > 0 else 0.0,
    }
    if foreign:
        found["foreign_letter_share"] = foreign
    share = dictionary_share(words)
    if share is not None and share < SOUND_HIDDEN_SHARE:
        language = language_of(" ".join(words))
        if language and language.code != "en":
            share = max(share, dictionary_share(words, language.code) or 0.0)
    if share is not None:
        found["dictionary_share"] = share
    return found


def dictionary_share(words: Iterable[str], language: str = "en") -> float | None:
    """Share of the letters in words of a language; None if there are too few words.

    Weighted by length, because almost any two letters are a word somewhere. 0 for a language without a word
    list.
    """
    if language in _UNSPACED:
        tokens = [character for word in words for character in word if character.isalpha()]
    else:
        tokens = [token for word in words for token in _LETTERS.findall(word)]
    if len(tokens) < MIN_DICTIONARY_TOKENS:
        return None
    known = sum(len(token) for token in tokens if _is_common(token.lower(), language))
    return round(known / sum(map(len, tokens)), 4)


def is_word(word: str, least_zipf: float = COMMON_ZIPF) -> bool:
    """Whether a lower-case word has at least this frequency in English."""
    return word in words_used(least_zipf)


@lru_cache(maxsize=50_000)
def _is_common(word: str, language: str) -> bool:
    return word.replace("’", "'") in words_used(COMMON_ZIPF, language)


@once
def words_used(least_zipf: float, language: str = "en") -> HashedSet:
    """The words of a language with at least this frequency; empty for a language without a word list."""
    import wordfreq  # takes a tenth of a second to load

    common = HashedSet()
    # The large English list has names and terms of art; for other languages the small list suffices.
    size = "best" if language == "en" else "small"
    if language not in wordfreq.available_languages(size):
        return common
    by_frequency = wordfreq.get_frequency_list(language, size)[
        : round((_HIGHEST_ZIPF - least_zipf) * 100) + 1
    ]
    for words in by_frequency:
        for word in words:
            common.add(word)
            if language in _UNSPACED:
                for character in word:
                    common.add(character)
    wordfreq.get_frequency_list.cache_clear()  # forty megabytes
    return common
