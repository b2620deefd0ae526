"""People, organisations and places by a conditional random field trained for litigation documents."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import zstandard

from docpipe_assets.engines.ner.crf.company_forms import LEGAL_FORMS, completed
from docpipe_assets.engines.ner.crf.features import FEATURES_VERSION, Featurizer, Tokens, sequences, tokenize
from docpipe_assets.engines.ner.crf.gazetteers import Gazetteer
from docpipe_assets.engines.ner.crf.short_names import Span, Vocabulary, with_short_names
from docpipe_assets.errors import EngineError
from docpipe_assets.lazy import lazy
from docpipe_assets.model import EntityType, FoundName
from docpipe_assets.protocols import NameContext

if TYPE_CHECKING:
    from pycrfsuite import Tagger

MODEL = Path(__file__).parent / "model"
CODE_VERSION = "1"

_TYPES = {"P": EntityType.PERSON, "O": EntityType.ORGANISATION, "L": EntityType.PLACE}
_LEADING = frozenset({"the", "The", "THE", "a", "an"})


class _Model(NamedTuple):
    content: bytes
    """The tagger reads these bytes in place without holding a reference; it would crash if they were
    freed."""
    tagger: "Tagger"
    featurizer: Featurizer
    classes: Mapping[str, tuple[str, ...]]
    frequencies: Mapping[str, float]


def _version(folder: Path) -> str:
    """Code, features and model. The hash of the model is stored beside it, so the model need not be read."""
    path = folder / "version.txt"
    try:
        model = path.read_text("utf-8").strip()
    except OSError as exc:
        raise EngineError(f"{path}: the name model is missing; reinstall docpipe or train a model") from exc
    return f"{CODE_VERSION}.{FEATURES_VERSION}.{model}"


class CrfNer:
    """Finds people, organisations and places. The model is loaded with the first text.

    Not thread-safe: the tagger stores the current sequence.
    """

    name = "crf"

    def __init__(self, folder: Path = MODEL) -> None:
        self._folder = folder
        self.version = _version(folder)

    @lazy
    def _model(self) -> _Model:
        import pycrfsuite
        import wordfreq

        path = self._folder / "crf.zst"
        try:
            model = zstandard.ZstdDecompressor().decompress(path.read_bytes())
            gazetteer = Gazetteer.load(self._folder)
            tagger = pycrfsuite.Tagger()
            tagger.open_inmemory(model)
        except (OSError, ValueError, zstandard.ZstdError) as exc:
            raise EngineError(f"{path}: the name model can't be read ({exc}); reinstall docpipe") from exc
        frequencies = wordfreq.get_frequency_dict("en", "small")
        return _Model(model, tagger, Featurizer(gazetteer, frequencies), gazetteer.words, frequencies)

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        if not text.strip():
            return
        tokens = tokenize(text)
        known = context.lowercase_words
        vocabulary = Vocabulary(self._model.classes, self._model.frequencies, known)
        spans = [
            span for start, end in sequences(tokens) for span in self._tagged(tokens, start, end, vocabulary)
        ]
        for span in with_short_names(completed(spans, tokens), tokens, vocabulary):
            if not _is_defined_term(span, tokens, vocabulary):
                yield FoundName(
                    start=tokens.starts[span.start],
                    end=tokens.ends[span.end - 1],
                    type=_TYPES[span.tag],
                    score=round(span.score, 4),
                    engine=self.name,
                )

    def _tagged(self, tokens: Tokens, start: int, end: int, vocabulary: Vocabulary) -> Iterator[Span]:
        tagger = self._model.tagger
        tagger.set(self._model.featurizer.features(tokens, start, end, vocabulary.known))
        tags = tagger.tag()
        for first, last, tag in _runs(tags):
            # The least certain token limits the score of the span.
            score = min(tagger.marginal(tags[i], i) for i in range(first, last))
            span = _trimmed(Span(start + first, start + last, tag, score), tokens, vocabulary)
            if span:
                yield span


def _runs(tags: list[str]) -> Iterator[tuple[int, int, str]]:
    start = 0
    for i in range(1, len(tags) + 1):
        if i == len(tags) or tags[i] == "O" or tags[i][0] == "B" or tags[i][2:] != tags[start][2:]:
            if tags[start] != "O":
                yield start, i, tags[start][2:]
            start = i


def _trimmed(span: Span, tokens: Tokens, vocabulary: Vocabulary) -> Span | None:
    """The span without articles, a person's title, and punctuation at the ends."""
    start, end = span.start, span.end
    while start < end:
        word = tokens.words[start]
        low = word.lower()
        # "Dean" and "Chase" are titles and names: only titles that are not frequent names are removed.
        is_title = span.tag == "P" and end - start > 1 and vocabulary.has(low, "title")
        is_name = vocabulary.has(low, "first1", "last1")
        if word in _LEADING or not word[0].isalnum() or (is_title and not is_name):
            start += 1
        else:
            break
    while end > start and not any(c.isalnum() for c in tokens.words[end - 1]):
        end -= 1
    has_letters = any(c.isalpha() for word in tokens.words[start:end] for c in word)
    return span._replace(start=start, end=end) if has_letters else None


def _is_defined_term(span: Span, tokens: Tokens, vocabulary: Vocabulary) -> bool:
    """Whether every word also occurs in lower case in the document: "the Company", "Confidential".

    A person is kept if the first word is a common first name or a title precedes it: "Mark Hill" stays a
    person in a document that contains the words "mark" and "hill".
    """
    words = [word.lower() for word in tokens.words[span.start : span.end] if word[0].isalpha()]
    if len(words) > 1 and words[-1] in LEGAL_FORMS:
        return False
    if not all(word in vocabulary.known or vocabulary.has(word, "role") for word in words):
        return False
    if span.tag != "P":
        return True
    before = tokens.words[span.start - 1].lower() if span.start else ""
    return not (vocabulary.has(words[0], "first1") or vocabulary.has(before, "title"))
