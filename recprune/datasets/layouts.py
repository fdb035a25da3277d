"""Names of files: which of a folder, or of a zip, are a log, and which belong to one."""

from __future__ import annotations

SPLIT = ("train.txt", "test.txt")  # a published split, in the order of its parts
LAYOUTS = ("u.data", "ratings.dat", "ratings.csv", "ratings.csv.gz", "ratings.parquet", "*.inter", SPLIT[0])
BESIDE = ("u.item", "u.user", "movies.*", "items.*", "users.*", "*.item", "*.user", SPLIT[1])
