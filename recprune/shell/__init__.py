"""The library from the shell: one file a command of `python -m recprune`."""
