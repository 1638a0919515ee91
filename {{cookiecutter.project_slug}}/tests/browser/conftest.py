import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect, sync_playwright

BASE_URL = os.environ["BASE_URL"].rstrip("/")
USERNAME = os.environ["TEST_USERNAME"]
PASSWORD = os.environ["TEST_PASSWORD"]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARTIFACTS = Path(os.environ["ARTIFACTS"])

FLAGS = [
    "--headless",
    "--no-sandbox",  # it would need privileges that the container has not, and sees our own pages only
    "--disable-gpu",
    "--disable-dev-shm-usage",  # a container's is too small
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

NewWindow = Callable[..., Page]

DEADLINE = 30_000

expect.set_options(timeout=DEADLINE)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session(chromium: Browser) -> StorageState:
    """The cookies of somebody who is signed in; made once, since logins are slow by design."""
    with chromium.new_context(base_url=BASE_URL, ignore_https_errors=True) as context:
        sign_in(context.new_page())
        return context.storage_state()


@pytest.fixture
def complaints() -> list[str]:
    """What the windows' consoles say: errors of scripts, files that do not load, violations of the CSP."""
    return []


@pytest.fixture
def new_window(chromium: Browser, session: StorageState, complaints: list[str]) -> Iterator[NewWindow]:
    """Opens windows that share nothing, as on different machines; none may have complained in the end."""
    contexts: list[BrowserContext] = []

    def open_window(*, signed_in: bool = True, **options: Any) -> Page:
        options = {"base_url": BASE_URL, "viewport": DESKTOP, "ignore_https_errors": True} | options
        context = chromium.new_context(**options, storage_state=session if signed_in else None)
        contexts.append(context)
        context.set_default_timeout(DEADLINE)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.text} ({message.location['url']})")

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def stranger(new_window: NewWindow) -> Page:
    return new_window(signed_in=False)


def sign_in(page: Page, path: str = "/") -> Page:
    page.goto(f"/accounts/login/?next={path}")
    page.get_by_label("Username").fill(USERNAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(path)
    return page


def keep_picture(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)
