"""Pages of which the right way to read them is known, and how many of them are read that way."""
