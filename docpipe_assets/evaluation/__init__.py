"""How well engines do on what is known: scores, and runs as the pipeline makes them."""
