"""Our own labelled litigation documents, and the scores of the shipped name engines on them."""
