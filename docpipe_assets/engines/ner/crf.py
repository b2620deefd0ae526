"""People, organisations and places by a conditional random field trained for litigation documents."""

from collections.abc import Container, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import zstandard

from docpipe_assets.engines.ner.features import FEATURES_VERSION, Featurizer, Tokens, sequences, tokenize
from docpipe_assets.engines.ner.gazetteers import Gazetteer
from docpipe_assets.errors import EngineError
from docpipe_assets.model import EntityType, FoundName
from docpipe_assets.protocols import NameContext

if TYPE_CHECKING:
    from pycrfsuite import Tagger

MODEL = Path(__file__).parent / "model"
CODE_VERSION = "1"

_TYPES = {"P": EntityType.PERSON, "O": EntityType.ORGANISATION, "L": EntityType.PLACE}
_LEADING = frozenset({"the", "The", "THE", "a", "an"})
_TITLE_CLASSES = frozenset({"title"})


class _Span(NamedTuple):
    """Tokens from start to end (exclusive) with one tag and a probability."""

    start: int
    end: int
    tag: str
    score: float


class _Model(NamedTuple):
    content: bytes
    """The tagger reads these bytes in place and keeps no reference: without ours it would crash."""
    tagger: "Tagger"
    featurizer: Featurizer
    gazetteer: Gazetteer


class CrfNer:
    """Finds people, organisations and places. The model is read at the first text, not before.

    One object serves one thread at a time: the tagger keeps the sequence it is looking at.
    """

    name = "crf"

    def __init__(self, folder: Path = MODEL) -> None:
        self._folder = folder

    @cached_property
    def version(self) -> str:
        """Code, features and model; the model's hash stands beside it so that it need not be read."""
        path = self._folder / "version.txt"
        try:
            model = path.read_text("utf-8").strip()
        except OSError as exc:
            raise EngineError(f"{path}: the name model is not there; install docpipe again or train a model") from exc
        return f"{CODE_VERSION}.{FEATURES_VERSION}.{model}"

    @cached_property
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
            raise EngineError(f"{path}: the name model cannot be read ({exc}); install docpipe again") from exc
        return _Model(model, tagger, Featurizer(gazetteer, wordfreq.get_frequency_dict("en", "small")), gazetteer)

    def find(self, text: str, context: NameContext) -> Iterator[FoundName]:
        if not text.strip():
            return
        tokens = tokenize(text)
        for start, end in sequences(tokens):
            for span in self._spans(tokens, start, end, context.lowercase_words):
                yield FoundName(
                    start=tokens.starts[span.start],
                    end=tokens.ends[span.end - 1],
                    type=_TYPES[span.tag],
                    score=round(span.score, 4),
                    engine=self.name,
                )

    def _spans(self, tokens: Tokens, start: int, end: int, known: Container[str]) -> Iterator[_Span]:
        _, tagger, featurizer, gazetteer = self._model
        tagger.set(featurizer.features(tokens, start, end, known))
        tags = tagger.tag()
        for first, last, tag in _runs(tags):
            # The weakest token is where the span would break first.
            score = min(tagger.marginal(tags[i], i) for i in range(first, last))
            span = _trimmed(_Span(start + first, start + last, tag, score), tokens, gazetteer.words)
            if span and not _is_defined_term(span, tokens, gazetteer.words, known):
                yield span


def _runs(tags: list[str]) -> Iterator[tuple[int, int, str]]:
    start = 0
    for i in range(1, len(tags) + 1):
        if i == len(tags) or tags[i] == "O" or tags[i][0] == "B" or tags[i][2:] != tags[start][2:]:
            if tags[start] != "O":
                yield start, i, tags[start][2:]
            start = i


def _trimmed(span: _Span, tokens: Tokens, classes: Mapping[str, tuple[str, ...]]) -> _Span | None:
    """Without articles, a person's title, and punctuation at the ends."""
    start, end = span.start, span.end
    while start < end:
        word = tokens.words[start]
        is_title = span.tag == "P" and _TITLE_CLASSES.intersection(classes.get(word.lower(), ()))
        # "Judge", "Chief" and the like are also surnames: only a title before something else is cut.
        if word in _LEADING or not word[0].isalnum() or (is_title and end - start > 1 and "last1" not in classes[word.lower()]):
            start += 1
        else:
            break
    while end > start and not any(c.isalnum() for c in tokens.words[end - 1]):
        end -= 1
    return span._replace(start=start, end=end) if any(c.isalpha() for w in tokens.words[start:end] for c in w) else None


def _is_defined_term(span: _Span, tokens: Tokens, classes: Mapping[str, tuple[str, ...]], known: Container[str]) -> bool:
    """"the Company", "Confidential Information": every word also occurs in lower case in the document.

    A person is spared when the first word is a common first name or a title stands before it:
    "Mark Hill" stays a person in a document that speaks of a mark and a hill.
    """
    words = [word.lower() for word in tokens.words[span.start : span.end] if word[0].isalpha()]
    if not all(word in known or "role" in classes.get(word, ()) for word in words):
        return False
    if span.tag != "P":
        return True
    before = tokens.words[span.start - 1].lower() if span.start else ""
    return not ("first1" in classes.get(words[0], ()) or "title" in classes.get(before, ()))
