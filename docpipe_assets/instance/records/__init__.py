"""What Dagster's records say of documents, and what docpipe writes in them."""
