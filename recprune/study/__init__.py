"""From study.toml to rows: what is to be measured, in which order, and one notebook execution after the other."""
