import pytest
from fake_page import fake_notebook, fake_page
from open_page import CHROMIUM, FLAGS, PATIENCE, drawn


@pytest.fixture(scope="package")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    fake_notebook(folder)
    fake_page(folder)
    return (folder / "report" / "index.html").as_uri()


@pytest.fixture(scope="package")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def opened(browser, address):
    """The page at 1280 px, with what it complained about and asked for."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    complaints, requests = [], []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    drawn(page)
    yield page, complaints, requests
    page.close()
