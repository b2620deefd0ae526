"""Short forms of names that occur in full in the same text: "Meridian" for "Meridian Toolworks, Inc."."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from docpipe_assets.engines.ner.crf.features import Tokens


class Span(NamedTuple):
    """Tokens from start to end (exclusive) with a tag (P, O or L) and a probability."""

    start: int
    end: int
    tag: str
    score: float


@dataclass(frozen=True)
class Vocabulary:
    """Properties of words: their classes, their frequency in English, and whether the document has them in
    lower case.
    """

    classes: Mapping[str, tuple[str, ...]]
    frequencies: Mapping[str, float]
    known: Container[str]

    def has(self, word: str, *names: str) -> bool:
        return not set(names).isdisjoint(self.classes.get(word, ()))


_MAX_SHORT_NAME_WORDS = 3
_MIN_SCORE = 0.5
# A short form is inferred from another place in the text: it scores below its full name.
_DISCOUNT = 0.8
_COMMON = 1e-5
_EMPTY_CLASSES = (
    "suffix orgword trade title degree role street calendar placeword state code country county city foreign"
)
_UNINFORMATIVE_CLASSES = tuple(_EMPTY_CLASSES.split())


def with_short_names(spans: list[Span], tokens: Tokens, vocabulary: Vocabulary) -> list[Span]:
    """Adds short forms that the tagger missed, and corrects the type of those it found.

    A short form that may belong to a person or to an organisation keeps the tagger's type.
    """
    sources: dict[tuple[str, ...], dict[str, float]] = {}
    for span in spans:
        if span.score >= _MIN_SCORE and span.end - span.start > 1:
            for short in _short_forms(
                span, [w.lower() for w in tokens.words[span.start : span.end]], vocabulary
            ):
                scores = sources.setdefault(short, {})
                scores[span.tag] = max(span.score * _DISCOUNT, scores.get(span.tag, 0.0))
    clear = {short: next(iter(scores.items())) for short, scores in sources.items() if len(scores) == 1}
    if not clear:
        return spans
    by_token = {i: span for span in spans for i in range(span.start, span.end)}
    changed: dict[Span, Span] = {}
    added: list[Span] = []
    for start, end, tag, score in _occurrences(tokens, clear):
        covering = {by_token[i] for i in range(start, end) if i in by_token}
        if not covering:
            if not _is_part_of_more(start, end, tokens):
                added.append(Span(start, end, tag, score))
            continue
        span = covering.pop()
        is_same = (span.start, span.end) == (start, end) and not covering
        is_titled = span.tag == "P" and _follows_title(start, tokens, vocabulary)
        if is_same and span.tag != tag and not is_titled:
            changed[span] = Span(start, end, tag, score)
    return sorted([changed.get(span, span) for span in spans] + added)


def _short_forms(span: Span, words: list[str], vocabulary: Vocabulary) -> Iterator[tuple[str, ...]]:
    if span.tag == "O":
        for length in range(1, min(_MAX_SHORT_NAME_WORDS, len(words) - 1) + 1):
            head = words[:length]
            if not head[-1].isalpha() or head[-1] in ("of", "and", "the", "for"):
                continue
            says_what_it_does = any(vocabulary.has(word, "suffix", "orgword", "trade") for word in words[1:])
            if length == 1 and not _is_distinctive(head[0], says_what_it_does, vocabulary):
                continue
            if not all(vocabulary.has(word, *_UNINFORMATIVE_CLASSES) for word in head):
                yield tuple(head)
    elif span.tag == "P":
        names = [w for w in words if w.isalpha() and len(w) > 1 and not vocabulary.has(w, "degree", "title")]
        if len(names) < 2:
            return
        for word in {names[0], names[-1]}:
            if (
                len(word) > 2
                and word not in vocabulary.known
                and not vocabulary.has(word, "calendar", "role", "suffix")
            ):
                yield (word,)


def _is_distinctive(word: str, says_what_it_does: bool, vocabulary: Vocabulary) -> bool:
    """Whether a single word can identify a company: rare in English, and unlikely to be a first name."""
    return (
        len(word) > 2
        and word not in vocabulary.known
        and vocabulary.frequencies.get(word, 0.0) < _COMMON
        and not vocabulary.has(word, "first1")
        and (says_what_it_does or not vocabulary.has(word, "first2"))
    )


def _occurrences(
    tokens: Tokens, clear: Mapping[tuple[str, ...], tuple[str, float]]
) -> Iterator[tuple[int, int, str, float]]:
    words = tokens.words
    lowered = [word.lower() for word in words]
    i = 0
    while i < len(words):
        step = 1
        if words[i][0].isupper():
            for length in range(_MAX_SHORT_NAME_WORDS, 0, -1):
                short = tuple(lowered[i : i + length])
                if len(short) == length and short in clear and words[i + length - 1][0].isupper():
                    yield (i, i + length, *clear[short])
                    step = length
                    break
        i += step


def _is_part_of_more(start: int, end: int, tokens: Tokens) -> bool:
    """Whether a capitalised word follows on the same line: "Meridian Avenue" is not the company."""
    return end < len(tokens.words) and tokens.breaks[end] == " " and tokens.words[end][0].isupper()


def _follows_title(start: int, tokens: Tokens, vocabulary: Vocabulary) -> bool:
    return start > 0 and vocabulary.has(tokens.words[start - 1].lower(), "title")
