"""Imports go down, never up or round in a circle; a folder shows its idea at a glance."""

import runpy
from pathlib import Path

import pytest

import recprune

PACKAGE = Path(recprune.__file__).parent
LAYERS = runpy.run_path(str(Path(__file__).resolve().parents[1] / "tools/layers.py"))
faults = LAYERS["faults"]


def test_the_library_has_no_fault():
    assert faults(PACKAGE) == []


@pytest.fixture
def house(tmp_path):
    """Writes the files of a package `p` with the library's floors, and says what is wrong with it."""

    def wrong(**files):
        for name, text in files.items():
            path = tmp_path / "p" / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return faults(tmp_path / "p")

    return wrong


def test_down_is_allowed_and_up_and_beside_are_not(house):
    assert house(models__a="from p.splits import x\nimport p.errors", splits="", errors="") == []
    assert house(models__a="", splits="from p.models import a") == ["p.splits imports up: p.models.a"]
    assert house(splits="", topk="import p.typed", typed="") == ["p.topk imports its neighbour p.typed"]


def test_an_import_in_a_function_is_an_arrow_as_well(house):
    assert house(files="def f():\n    from p.report import page", report__page="") == [
        "p.files imports up: p.report.page"
    ]


def test_two_files_that_need_each_other_are_a_circle_even_within_a_room(house):
    found = house(study__a="from p.study import b", study__b="def f():\n    from p.study.a import x")
    assert found == ["a circle of 2 files: p.study.a, p.study.b"]


def test_a_relative_import_is_one_too(house):
    found = house(study__a="from . import b", study__b="from .a import x")
    assert found == ["a circle of 2 files: p.study.a, p.study.b"]


def test_what_is_imported_for_types_makes_no_circle_but_may_not_go_up(house):
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.{} import x"
    assert house(study__a=types.format("study.b"), study__b="from p.study.a import y") == []
    assert house(topk=types.format("study.b")) == ["p.topk imports up: p.study.b"]


def test_a_room_needs_a_floor(house):
    assert house(attic="") == ["p/attic has no floor"]


def test_a_folder_is_seen_at_a_glance_unless_all_in_it_are_of_one_kind(house):
    assert house(**{f"models__m{i}": "" for i in range(20)}) == []
    assert house(**{f"cells__c{i}": "" for i in range(17)}) == ["p/cells has 17 files, more than 16"]
