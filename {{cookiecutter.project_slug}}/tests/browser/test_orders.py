"""Somebody orders with a photo, and somebody else watches."""

import secrets

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from conftest import BASE_URL, DESKTOP, PHONE, NewWindow, keep_picture, sign_in


def watch(page: Page) -> Page:
    page.goto("/orders/")
    expect(page.locator("#live")).to_have_text("Live")
    return page


def place(page: Page, title: str, photo: bytes | None = None) -> None:
    page.get_by_label("Title").fill(title)
    page.get_by_label("Quantity").fill("3")
    if photo:
        page.get_by_label("Photo").set_input_files({"name": "photo.png", "mimeType": "image/png", "buffer": photo})
    page.get_by_role("button", name="Order", exact=True).click()
    expect(page.get_by_text("Your order is in")).to_be_visible()


def row(page: Page, title: str) -> Locator:
    return page.locator("#orders li").filter(has_text=title)


def expect_loaded(image: Locator) -> None:
    expect(image).to_be_visible()
    image.evaluate("image => image.decode()")  # rejects when it is no picture
    assert image.evaluate("image => image.naturalWidth") > 0


def test_an_order_arrives_live(new_window: NewWindow) -> None:
    title = f"Live {secrets.token_hex(4)}"
    buyer, watcher = watch(new_window()), watch(new_window())
    watcher.evaluate("window.sameDocument = true")

    place(buyer, title, photo=buyer.screenshot())

    expect(row(watcher, title)).to_contain_text("3 ×")
    expect(row(watcher, title).locator(".status")).to_have_text("Confirmed")
    expect_loaded(row(watcher, title).locator("img"))
    assert watcher.evaluate("window.sameDocument"), "the watcher's page was loaded again"

    row(buyer, title).get_by_role("link").click()
    expect(buyer.get_by_role("heading", name=title)).to_be_visible()
    photo = buyer.get_by_role("img", name=title)
    expect_loaded(photo)
    assert photo.evaluate("image => image.src").startswith(BASE_URL), "the photo comes by the public address"

    buyer.go_back()
    expect(row(buyer, title)).to_be_visible()
    expect(buyer.locator("#live")).to_have_text("Live")
    buyer.go_forward()
    expect_loaded(buyer.get_by_role("img", name=title))


def test_what_was_missed_while_away_is_shown(new_window: NewWindow) -> None:
    """The server restarts, and an order comes in before the page is connected again."""
    buyer, watcher = watch(new_window()), new_window()
    lines: list[WebSocketRoute] = []
    down = False

    def route(line: WebSocketRoute) -> None:
        if down:
            line.close(code=1012)
        else:
            line.connect_to_server()
            lines.append(line)

    watcher.route_web_socket("**/ws/orders/", route)
    watch(watcher)
    down = True
    lines[0].close(code=1012)
    expect(watcher.locator("#live")).to_have_text("Reconnecting")

    title = f"Missed {secrets.token_hex(4)}"
    place(buyer, title)
    down = False
    expect(row(watcher, title)).to_be_visible()
    expect(watcher.locator("#live")).to_have_text("Live")


def test_back_after_signing_out_shows_nothing(stranger: Page) -> None:
    window = sign_in(stranger, "/orders/")
    window.get_by_role("button", name="Sign out").click()
    window.wait_for_url("/")
    window.go_back()
    expect(window.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_file_that_is_no_photo_is_told(new_window: NewWindow) -> None:
    window = watch(new_window())
    window.get_by_label("Title").fill("Bad photo")
    window.get_by_label("Photo").set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"})
    window.get_by_role("button", name="Order", exact=True).click()
    expect(window.locator(".errorlist")).to_contain_text("cannot be read")
    expect(window.get_by_label("Title")).to_have_value("Bad photo")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "viewport"), [("phone", PHONE), ("desktop", DESKTOP)])
def test_pages_fit(new_window: NewWindow, device: str, viewport: dict[str, int], scheme: str) -> None:
    page = watch(new_window(viewport=viewport, color_scheme=scheme))
    title = f"A rather long title for a narrow window, with a {'W' * 30} in it {secrets.token_hex(4)}"
    place(page, title, photo=page.screenshot())
    expect(row(page, title).locator(".status")).to_have_text("Confirmed")
    for name in "orders", "order":
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        keep_picture(page, f"{name}-{device}-{scheme}")
        if name == "orders":
            row(page, title).get_by_role("link").click()
            expect_loaded(page.get_by_role("img", name=title))
