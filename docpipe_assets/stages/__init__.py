"""The stages: one file per edge of the asset graph, each a function from typed streams to a typed stream."""
