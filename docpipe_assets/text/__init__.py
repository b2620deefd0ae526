"""The text of a page: text layers, OCR readings, order, languages, paragraphs, sentences."""
