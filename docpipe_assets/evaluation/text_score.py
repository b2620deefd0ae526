"""Scores a recognized text against the true text.

Before the comparison both texts are converted to Unicode NFC, white space is collapsed to single spaces
between words, and typographic quotes, apostrophes and dashes are replaced by plain ones, because they depend
on the typeface only. Nothing else is normalized, not even letter case.
"""

import heapq
import unicodedata
from collections import Counter
from dataclasses import dataclass, fields
from typing import Self

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq, Levenshtein

_PLAIN = str.maketrans("‘’‚‛“”„‟‐‑‒–—―−", "''''\"\"\"\"-------")
MIN_SIMILARITY = 50.0
"""Minimum similarity, in percent, of two text fragments that are matched."""


@dataclass(frozen=True)
class TextScore:
    """Counts that add up: the score of a set is the sum of the scores of its pages, so long pages
    weigh more.
    """

    characters: int = 0
    """Of the true text, like ``words``."""
    character_edits: int = 0
    words: int = 0
    word_edits: int = 0
    words_found: int = 0
    words_shared: int = 0
    letters: int = 0
    """Non-space characters of the true text."""
    letters_found: int = 0
    letters_placed: int = 0

    @property
    def character_error_rate(self) -> float:
        """Edit distance (Levenshtein) in characters, divided by the length of the true text."""
        return _share(self.character_edits, self.characters)

    @property
    def word_error_rate(self) -> float:
        """The same in words."""
        return _share(self.word_edits, self.words)

    @property
    def word_f1(self) -> float:
        """F1 of words as a bag: counts matter, positions do not."""
        return _f1(self.words_shared, self.words_found, self.words)

    @property
    def order_free_f1(self) -> float:
        """F1 of non-space characters, in order within a line but with lines in any order: measures
        recognition independently of reading order (see ``letters_placed``).
        """
        return _f1(self.letters_placed, self.letters_found, self.letters)

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def score(found: str, truth: str) -> TextScore:
    """Compare the text of a page with the true text; line ends matter only for the order-free measure."""
    found_lines, truth_lines = _lines(found), _lines(truth)
    found_text, truth_text = " ".join(found_lines), " ".join(truth_lines)
    found_words, truth_words = found_text.split(), truth_text.split()
    return TextScore(
        characters=len(truth_text),
        character_edits=Levenshtein.distance(found_text, truth_text),
        words=len(truth_words),
        word_edits=Levenshtein.distance(found_words, truth_words),
        words_found=len(found_words),
        words_shared=(Counter(found_words) & Counter(truth_words)).total(),
        letters=len(truth_text.replace(" ", "")),
        letters_found=len(found_text.replace(" ", "")),
        letters_placed=letters_placed(found_lines, truth_lines),
    )


def letters_placed(found_lines: list[str], truth_lines: list[str]) -> int:
    """Number of non-space characters that two pages have in common if their lines may be in any order.

    The longest true line is searched in all recognized lines, the most similar fragment is removed from both,
    and the remaining fragments are matched like lines of their own; so two columns that were read across are
    found in the halves of the lines. After the "flexible character accuracy" of Clausner, Pletschacher and
    Antonacopoulos (2020).
    """
    placed = 0
    left = [line.replace(" ", "") for line in found_lines]
    wanted = [(-len(line), line) for line in (line.replace(" ", "") for line in truth_lines)]
    heapq.heapify(wanted)
    while wanted and left:
        _, line = heapq.heappop(wanted)
        best, best_place, best_weight = None, 0, 0.0
        for place, candidate in enumerate(left):
            alignment = fuzz.partial_ratio_alignment(line, candidate, score_cutoff=MIN_SIMILARITY)
            if alignment is None:
                continue
            weight = alignment.score * (alignment.src_end - alignment.src_start)
            if weight > best_weight:
                best, best_place, best_weight = alignment, place, weight
        if best is None:
            continue
        candidate = left.pop(best_place)
        placed += LCSseq.similarity(
            line[best.src_start : best.src_end], candidate[best.dest_start : best.dest_end]
        )
        left += [rest for rest in (candidate[: best.dest_start], candidate[best.dest_end :]) if rest]
        for rest in (line[: best.src_start], line[best.src_end :]):
            if rest:
                heapq.heappush(wanted, (-len(rest), rest))
    return placed


def _lines(text: str) -> list[str]:
    plain = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return [joined for line in plain.splitlines() if (joined := " ".join(line.split()))]


def _share(part: int, whole: int) -> float:
    """Text that was read where there is none counts as entirely wrong."""
    return part / whole if whole else float(part > 0)


def _f1(shared: int, found: int, wanted: int) -> float:
    return 2 * shared / (found + wanted) if found + wanted else 1.0
