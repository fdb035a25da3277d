"""The rows of a study's runs: where they are gathered, what of them is kept, and whether they agree with others."""
