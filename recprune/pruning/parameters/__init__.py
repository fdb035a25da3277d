"""Importance scores of parameters: one short file a criterion, each a function of (model, unit, train, seed)."""
