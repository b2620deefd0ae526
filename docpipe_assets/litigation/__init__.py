"""Court papers: captions, counsel, parties, and who stands to whom."""
