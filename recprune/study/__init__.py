"""From study.toml to rows: what is to be measured, in which order, and one notebook execution after the other."""

from recprune.study.config import Run, Study, load_study

__all__ = ["Run", "Study", "load_study"]
