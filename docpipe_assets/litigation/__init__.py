"""Court papers: captions, counsel, parties, and their relationships."""
