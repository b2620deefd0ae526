"""Reduces a PP-OCR recognizer to the characters of Latin script, which saves a fifth of its time.

    python -m docpipe_assets.engines.ocr.rapidocr.latin_head < MODEL > CUT_MODEL

The model has 18,708 characters, nearly all Chinese, and evaluates all of them at each step along a line.
Removing the weights of the others does not change the order of the rest.
"""

import subprocess
import sys
from typing import Any

KEY = "character"
EXTRA_CLASSES = 2  # "no new character" before the characters, the space after them

_RANGES = ((0x21, 0x17F), (0x2010, 0x2027), (0x2030, 0x203A), (0x2150, 0x215E))
_SYMBOLS = frozenset("€№™☐☑☒✓✔✗✘■□●○")


def is_latin(character: str) -> bool:
    """Letters with and without accents, digits, punctuation, fractions, and marks found on forms."""
    code = ord(character)
    return character in _SYMBOLS or any(first <= code <= last for first, last in _RANGES)


def cut_to_latin(model: bytes) -> bytes:
    """The model with only the Latin characters among its classes and in its character list."""
    import onnx
    from onnx import numpy_helper

    loaded: Any = onnx.load_from_string(model)
    [entry] = [item for item in loaded.metadata_props if item.key == KEY]
    characters = entry.value.splitlines()
    classes = len(characters) + EXTRA_CLASSES
    kept = [n for n, character in enumerate(characters, start=1) if is_latin(character)]
    columns = [0, *kept, classes - 1]
    for weights in loaded.graph.initializer:
        if weights.dims and weights.dims[-1] == classes:
            values = numpy_helper.to_array(weights)[..., columns]
            weights.CopyFrom(numpy_helper.from_array(values, weights.name))
    # The recorded shapes of the output and of intermediate results have the old width.
    del loaded.graph.value_info[:]
    loaded.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = len(columns)
    entry.value = "\n".join(characters[n - 1] for n in kept)
    return bytes(loaded.SerializeToString())


def cut_in_subprocess(model: bytes) -> bytes:
    """As ``cut_to_latin``, in a child process, because it needs three times the memory of the model.

    Raises RuntimeError with the standard error of the process if it fails.
    """
    command = [sys.executable, "-m", __name__]
    ended = subprocess.run(command, input=model, capture_output=True, check=False)
    if ended.returncode != 0:
        raise RuntimeError(ended.stderr.decode(errors="replace").strip()[-500:])
    return ended.stdout


if __name__ == "__main__":
    sys.stdout.buffer.write(cut_to_latin(sys.stdin.buffer.read()))
