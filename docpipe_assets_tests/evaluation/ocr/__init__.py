"""Pages whose text is known to the letter, to measure OCR engines with: see README.md."""
