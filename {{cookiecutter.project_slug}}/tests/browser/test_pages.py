"""The pages that are always there."""

import pytest
from playwright.sync_api import Page, expect

from conftest import DESKTOP, PHONE, NewWindow, keep_picture, sign_in


def test_sign_in_and_out(stranger: Page) -> None:
    sign_in(stranger)
    stranger.get_by_role("button", name="Sign out").click()
    expect(stranger.get_by_role("navigation").get_by_role("link", name="Sign in")).to_be_visible()


def test_a_wrong_password_is_told(stranger: Page) -> None:
    stranger.goto("/accounts/login/")
    stranger.get_by_label("Username").fill("nobody")
    stranger.get_by_label("Password").fill("wrong")
    stranger.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(stranger.locator(".errorlist")).to_contain_text("correct username and password")


def test_the_admin_looks_right(new_window: NewWindow) -> None:
    """Its files load and nothing of it offends the content security policy."""
    window = new_window()
    window.goto("/admin/")
    expect(window.locator("#header")).to_have_css("display", "flex")


def test_inline_scripts_do_not_run(stranger: Page, complaints: list[str]) -> None:
    stranger.goto("/")
    stranger.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'injected = true' }))"
    )
    assert stranger.evaluate("typeof injected") == "undefined"
    assert "Content Security Policy" in complaints.pop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "viewport"), [("phone", PHONE), ("desktop", DESKTOP)])
def test_pages_fit(new_window: NewWindow, device: str, viewport: dict[str, int], scheme: str) -> None:
    page = new_window(signed_in=False, viewport=viewport, color_scheme=scheme)
    for name, path in ("home", "/"), ("login", "/accounts/login/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        keep_picture(page, f"{name}-{device}-{scheme}")
