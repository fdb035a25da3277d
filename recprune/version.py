"""Which recprune this is: the one place that says so, beside pyproject.toml."""

__version__ = "0.1.0"
