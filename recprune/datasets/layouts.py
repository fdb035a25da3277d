"""Names of files: which of a folder, or of a zip, are a log, and which belong to one."""

from __future__ import annotations

LAYOUTS = ("u.data", "ratings.dat", "ratings.csv", "ratings.csv.gz", "ratings.parquet", "*.inter")
BESIDE = ("u.item", "u.user", "movies.*", "items.*", "users.*", "*.item", "*.user")
