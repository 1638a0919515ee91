"""Somebody at a browser: cookies, CSRF token, pages, a WebSocket."""

import re
from typing import Any

import httpx

import stack
from sockets import Socket


class Visitor(httpx.Client):
    def __init__(self, **options: Any) -> None:
        options = {"timeout": 15, "headers": {"Referer": f"{stack.URL}/"}} | options
        super().__init__(base_url=stack.URL, verify=stack.tls() or True, trust_env=False, **options)

    def sign_in(self, user: stack.User) -> "Visitor":
        page = self.get("/accounts/login/")
        form = {"username": user.name, "password": user.password, "csrfmiddlewaretoken": token_in(page)}
        answer = self.post("/accounts/login/", data=form)
        assert answer.status_code == 302, f"login of {user.name}: {answer.status_code}"
        return self

    def sign_out(self) -> httpx.Response:
        return self.post("/accounts/logout/", headers={"X-CSRFToken": self.csrf_token})

    def signed_in(self) -> bool:
        """Asks the admin, which sends strangers to its login page."""
        answer = self.get("/admin/")
        assert answer.status_code in (200, 302), f"/admin/: {answer.status_code}"
        return answer.status_code == 200

    @property
    def csrf_token(self) -> str:
        return next(cookie.value for cookie in self.cookies.jar if cookie.name.endswith("csrftoken"))

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies.jar)

    def post_json(self, path: str, data: object) -> httpx.Response:
        return self.post(path, json=data, headers={"X-CSRFToken": self.csrf_token})

    def socket(self, path: str, **options: Any) -> Socket:
        return Socket(path, self.cookie, **options)


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found, f"{page.url} ({page.status_code}) has no form with a CSRF token"
    return found[1]
