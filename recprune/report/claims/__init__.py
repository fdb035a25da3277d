"""What was claimed, and what the rows say of it: claims.toml, contrasts, effects with their intervals, verdicts."""
