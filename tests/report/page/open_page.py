"""A page in a real browser: Chromium, without a network."""

import re
import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH: Debian's package is `chromium`")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 120_000  # ms: where other work has the cores, a page takes its time


def drawn(page):
    """Wait until the plot shows what its form says."""
    from playwright.sync_api import expect

    expect(page.locator("#plot")).to_have_attribute("data-drawn", page.evaluate("chosenNow()"), timeout=PATIENCE)


def choose(page, form, **values):
    for name, value in values.items():
        page.select_option(f"#{form} select[name={name}]", value)
        drawn(page)


def count(page):
    """(points that are drawn, points that the page says are drawn)."""
    said = int(re.match(r"\d+", page.text_content("#shown"))[0])
    return page.evaluate("plotted.flat().length"), said
