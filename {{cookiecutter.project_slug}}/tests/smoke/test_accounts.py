"""Login, logout, admin."""

import stack
from stack import User
from visitor import Visitor, token_in


def test_admin_sends_strangers_to_login(stranger: Visitor) -> None:
    answer = stranger.get("/admin/")
    assert answer.status_code == 302
    assert "login" in answer.headers["location"]


def test_admin_login(stranger: Visitor, user: User) -> None:
    """Through the admin's own form."""
    page = stranger.get("/admin/login/", follow_redirects=True)
    form = {"username": user.name, "password": user.password, "csrfmiddlewaretoken": token_in(page)}
    answer = stranger.post(page.url.raw_path.decode(), data=form, follow_redirects=True)
    assert answer.status_code == 200
    assert stranger.signed_in()


def test_wrong_password(stranger: Visitor, user: User) -> None:
    page = stranger.get("/accounts/login/")
    form = {"username": user.name, "password": "wrong", "csrfmiddlewaretoken": token_in(page)}
    assert stranger.post("/accounts/login/", data=form).status_code == 200
    assert not stranger.signed_in()


def test_cookies_are_guarded(member: Visitor) -> None:
    for cookie in member.cookies.jar:
        assert cookie.get_nonstandard_attr("SameSite") == "Lax", cookie.name
        assert cookie.secure == stack.URL.startswith("https"), cookie.name
        if cookie.name.endswith("sessionid"):
            assert cookie.has_nonstandard_attr("HttpOnly")


def test_passwords_are_hashed_with_argon2(user: User) -> None:
    code = "from django.contrib.auth import get_user_model as m; result = m().objects.get(username=name).password[:7]"
    assert stack.django(code, name=user.name) == "argon2$"
