"""Score the sentence splitter: python -m docpipe_assets_tests.evaluation.sentences --data FILE...

A file holds documents by name, each with ``text`` and ``annotations`` (spans of its sentences). A
boundary is the offset of a sentence's last visible character.
"""

import argparse
import json
import time
from pathlib import Path

from docpipe_assets.text.sentences import sentences


def score(path: Path) -> str:
    documents = json.loads(path.read_text())
    right = found = wanted = characters = 0
    seconds = 0.0
    for document in documents.values():
        text = document["text"]
        truth = {a["start"] + len(text[a["start"] : a["end"]].rstrip()) for a in document["annotations"]}
        began = time.process_time()
        ends = {end for _, end in sentences(text)}
        seconds += time.process_time() - began
        right, found, wanted = right + len(ends & truth), found + len(ends), wanted + len(truth)
        characters += len(text)
    precision, recall = right / found, right / wanted
    f1 = 2 * precision * recall / (precision + recall)
    speed = characters / 1e6 / seconds
    return f"{path.name}: P {precision:.1%} R {recall:.1%} F {f1:.1%}, {speed:.1f} MB per CPU second"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    for path in parser.parse_args().data:
        print(score(path))


if __name__ == "__main__":
    main()
