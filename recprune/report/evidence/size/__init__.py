"""Size: what value formats and pruning do to bytes, and what the size of the catalogue does to each form of a model."""
