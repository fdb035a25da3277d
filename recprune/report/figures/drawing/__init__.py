"""What figures share: how everything looks, panels and legends, words on axes, the registry, and files."""
