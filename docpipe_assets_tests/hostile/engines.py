"""An OCR engine that takes no time: only whether pages reach it is relevant here, not their text."""

from docpipe_assets.model import Box
from docpipe_assets.protocols import PageImage, PlacedWord

_WHITE = b"\xff"


class FastOcr:
    """Reads the words "seen by FastOcr" in any image that has a dark pixel."""

    name = "fast_ocr"
    version = "1"

    def read(self, image: PageImage) -> tuple[tuple[PlacedWord, ...], ...]:
        with image.path.open("rb") as pixels:
            while block := pixels.read(1 << 20):
                if block.strip(_WHITE):
                    return (self._line(image),)
        return ()

    def _line(self, image: PageImage) -> tuple[PlacedWord, ...]:
        width, height = image.width / 4, image.height / 10
        words = enumerate(("seen", "by", self.name))
        return tuple(PlacedWord(word, Box(n * width, 0.0, (n + 1) * width, height), 0.9) for n, word in words)
