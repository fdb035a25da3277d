import pytest


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder for downloads."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("RECPRUNE_DATA", str(folder))
    return folder
