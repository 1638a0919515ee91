"""The API's docs page: whole under its Content-Security-Policy, and it sends what one tries."""

from playwright.sync_api import Page, Response, expect

from conftest import NewWindow, keep_picture


def open_docs(page: Page) -> Response:
    answer = page.goto("/api/docs")
    assert answer is not None
    expect(page.get_by_role("heading", name="orders")).to_be_visible()
    return answer


def test_an_order_is_placed_from_the_docs_page(new_window: NewWindow) -> None:
    page = new_window()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    policy = open_docs(page).headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy

    operation = page.locator("#orders_create")
    operation.locator("summary").click()
    operation.get_by_label("Body").fill('{"title": "From the docs", "quantity": 2}')
    operation.get_by_role("button", name="Send").click()
    expect(operation.locator("output")).to_contain_text("201")
    expect(operation.locator("output")).to_contain_text('"title": "From the docs"')

    listed = page.locator("#orders_page")
    listed.locator("summary").click()
    listed.locator("input[name=limit]").fill("1")
    listed.get_by_role("button", name="Send").click()
    expect(listed.locator("output")).to_contain_text('"orders": [')
    keep_picture(page, "docs")
    origin = "/".join(page.url.split("/")[:3])
    assert {url for url in asked if not url.startswith(f"{origin}/")} == set()
