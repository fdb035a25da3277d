"""Facts about names, the registry and the cache folder."""

import re
from pathlib import Path

import pytest
from containers import ratings, write_csv

from recprune.datasets import known, load, registry
from recprune.datasets.download import cache_folder
from recprune.interactions import DataError

MOVIELENS = ["ml-100k", "ml-1m", "ml-latest-small", "ml-10m", "ml-20m", "ml-25m", "ml-32m"]
NAMES = [*MOVIELENS, "gowalla"]


def test_the_registered_names():
    assert list(known()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_explained_and_has_a_source(name):
    entry = known()[name]
    assert f"`{name}`" in (registry.ROOT / "data" / "README.md").read_text()
    assert entry.checksum or entry.by_hand


@pytest.mark.parametrize("name", MOVIELENS)
def test_every_entry_of_movielens_is_complete(name):
    entry = known()[name]
    assert entry.url == f"https://files.grouplens.org/datasets/movielens/{name}.zip"
    assert entry.md5 is None or re.fullmatch("[0-9a-f]{32}", entry.md5)
    assert any(file in entry.files for file in ("u.data", "ratings.dat", "ratings.csv"))


@pytest.mark.parametrize("name", ["ml-2m", "nowhere/ratings.csv", "no.csv", "syntheti"])
def test_an_unknown_name_lists_the_known_ones(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"{re.escape(repr(name))} is no file or folder") as error:
        load(name)
    assert all(known_name in str(error.value) for known_name in [*NAMES, "synthetic"])


def test_without_the_registry_files_still_load(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "ROOT", tmp_path)
    known.cache_clear()
    try:
        folder = write_csv(tmp_path / "movies", ratings())
        assert load(folder).nnz == load(folder / "ratings.csv").nnz == 11
        assert load("synthetic:5x5x10").nnz == 10
        with pytest.raises(DataError, match="registry.toml is missing"):
            load("ml-100k")
    finally:
        known.cache_clear()


def test_options_of_files_are_refused_for_names():
    with pytest.raises(ValueError, match="options of a file"):
        load("ml-100k", user="uid")
    with pytest.raises(ValueError, match="options of a file"):
        load("synthetic", separator=",")


def test_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("RECPRUNE_DATA", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("RECPRUNE_DATA")
    assert cache_folder() == Path(registry.ROOT) / "data" / "cache"


def test_only_gowalla_has_a_published_split():
    assert [name for name in NAMES if known()[name].has_split] == ["gowalla"]
