"""The page of the whole report, and the executed notebooks as pages beside it."""
