"""Importance scores of training interactions: one short file a criterion, each a function of (train, seed)."""
