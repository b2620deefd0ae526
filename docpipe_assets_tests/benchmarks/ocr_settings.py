"""OCR: memory, CPU time and errors by engine settings, compared with Tesseract in the same run.

    python -m docpipe_assets_tests.benchmarks.ocr_settings [--seed 7] [--pages 1] [--kinds clean ordinary]

The pages are from the generated set (``evaluation/ocr``): dense letters, a fax, narrow columns, a form. CPU
seconds are those of the engine's processes; on a busy machine they are too high for all engines, so compare
them with Tesseract. The peak memory is also that of an engine's processes.
"""

import argparse
import os
import tempfile
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from docpipe_assets.engines.ocr.rapidocr import RapidOcr
from docpipe_assets.evaluation.ocr import evaluate, find_pairs, summaries
from docpipe_assets.protocols import Line, PageImage
from docpipe_assets.settings import Settings
from docpipe_assets_tests.evaluation.ocr.generated_set import generated_set, write

KINDS = ("clean", "ordinary", "degraded/fax", "columns/three", "forms/100dpi")


class Side512:
    """The engine with a different setting; the classes below likewise."""

    name = "side 512"
    side = 512
    backend = "onnxruntime"

    @cached_property
    def _engine(self) -> RapidOcr:
        return RapidOcr(detector_side=self.side, backend=self.backend)

    @property
    def version(self) -> str:
        return self._engine.version

    def read(self, image: PageImage) -> tuple[Line, ...]:
        return self._engine.read(image)


class Side736(Side512):
    name = "side 736 (default)"
    side = 736


class Side1280(Side512):
    name = "side 1280"
    side = 1280


class Side736OnOpenVino(Side736):
    name = "side 736, OpenVINO"
    backend = "openvino"


ON_ONNXRUNTIME = (Side512, Side736, Side1280)
ON_OPENVINO = (Side736OnOpenVino,)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pages", type=int, default=1, help="of each kind")
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    options = parser.parse_args()
    variants = [*ON_ONNXRUNTIME, *(ON_OPENVINO if find_spec("openvino") else ())]
    engines = [f"{__spec__.name}:{variant.__name__}" for variant in variants]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = write(generated_set(options.seed, options.pages, tuple(options.kinds)), folder / "pages")
        settings = Settings(data_dir=folder / "data")
        pairs = find_pairs(folder / "pages")
        rows = summaries(list(evaluate(pairs, [*engines, "tesseract"], settings)))
    print(f"{count} pages, load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'CER %':>8}{'WER %':>8}{'word F1':>9}{'CPU s a page':>14}{'peak MB':>9}")
    names = {variant.__name__: variant.name for variant in variants}
    for row in rows[-len(engines) - 1 :]:
        score = row.score
        print(
            f"{names.get(row.engine, row.engine):22}{100 * score.character_error_rate:>8.2f}"
            f"{100 * score.word_error_rate:>8.2f}{100 * score.word_f1:>9.2f}{row.cpu_seconds:>14.2f}"
            f"{row.peak_bytes / 2**20:>9.0f}"
        )


if __name__ == "__main__":
    main()
