"""What tables share: columns with a format, LaTeX, the registry, and files."""
