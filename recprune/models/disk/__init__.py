"""Models on disk: files, layouts, value formats, and what is checked when they are read."""
