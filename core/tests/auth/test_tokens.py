"""Bearer tokens, API keys, authenticators of one's own, and several of them."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from django_rivet import (
    API,
    Anonymous,
    APIKeyAuth,
    Authenticator,
    BearerAuth,
    CurrentUser,
    HTTPError,
    Request,
    Router,
    SessionAuth,
    WebSocket,
)
from serving import log_in, problem, serving


@dataclass
class Partner:
    """A principal that is no user of Django's."""

    name: str


threads: list[str] = []


def find(token: str) -> User | None:
    threads.append(threading.current_thread().name)
    return User.objects.filter(username=token).first()


async def find_async(token: str) -> User | None:
    return await User.objects.filter(username=token).afirst()


def partner(key: str) -> Partner | None:
    if key == "locked":
        raise HTTPError(403, "This key is locked.")
    return Partner("acme") if key == "acme" else None


class SecretHeader(Authenticator):
    """One's own."""

    security = ("secret", {"type": "apiKey", "in": "header", "name": "X-Secret"})
    challenge = "Secret"

    async def authenticate(self, request: Any) -> Any:
        return Partner("secret") if request.header("x-secret") == "yes" else None


def _endpoints(router: Router) -> None:
    @router.get("/sync")
    def sync(request: Request) -> str:
        return _name(request.user)

    @router.get("/blocking", blocking=True)
    def blocking(user: Annotated[Any, CurrentUser]) -> str:
        return _name(user)

    @router.get("/async")
    async def async_(request: Request) -> str:
        return _name(request.user) + ("" if await request.auser() is request.user else "?")

    @router.get("/none")
    async def none() -> str:
        return "in"


def _name(user: Any) -> str:
    return str(getattr(user, "username", None) or getattr(user, "name", None) or "nobody")


def is_right(key: str) -> Any:
    """As people also write it."""
    return key == "right"


AUTH: dict[str, Any] = {
    "lambda": BearerAuth(lambda token: find_async(token)),
    "mixed": [SecretHeader(), BearerAuth(lambda token: find_async(token))],
    "bool": APIKeyAuth(is_right),
    "bearer": BearerAuth(find),
    "abearer": BearerAuth(find_async),
    "key": APIKeyAuth(partner, header="X-Partner"),
    "own": SecretHeader(),
    "several": [SessionAuth(), BearerAuth(find_async), APIKeyAuth(partner, "X-Partner"), SecretHeader()],
    "optional": [BearerAuth(find), Anonymous()],
}
api = API()
for _prefix, _auth in AUTH.items():
    _router = Router(f"/{_prefix}", auth=_auth)
    _endpoints(_router)
    api.include(_router)


@api.websocket("/socket", auth=[SessionAuth(), BearerAuth(find)])
async def socket(socket: WebSocket) -> None:
    socket.accept()
    await socket.send(_name(socket.user))


@pytest.fixture(scope="module")
def client(ada: User) -> Iterator[Any]:
    with serving(api) as client:
        yield client


@pytest.fixture(autouse=True)
def no_cookies(client: Any) -> None:
    client.cookies.clear()


WAYS = ["sync", "blocking", "async"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["bearer", "abearer", "lambda"])
def test_bearer(client, kind, way):
    path = f"/{kind}/{way}"
    for scheme in ("Bearer", "bearer", "BEARER "):
        assert client.get(path, headers={"Authorization": f"{scheme} ada"}).text == "ada"
    stranger = client.get(path)
    assert problem(stranger, 401)["detail"] == "Say who you are."
    assert stranger.headers["www-authenticate"] == "Bearer"
    for wrong in ("Bearer nobody", "Bearer ada x", "Bearer"):
        answer = client.get(path, headers={"Authorization": wrong})
        assert problem(answer, 401)["detail"].startswith("What you have shown")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert client.get(path, headers={"Authorization": "Basic ada"}).headers["www-authenticate"] == "Bearer"


def test_a_check_that_may_block_runs_on_a_thread(client):
    threads.clear()
    client.get("/bearer/async", headers={"Authorization": "Bearer ada"})
    assert threads and all(name.startswith("rivet-pool") for name in threads)


@pytest.mark.parametrize("way", WAYS)
def test_api_keys(client, way):
    assert client.get(f"/key/{way}", headers={"X-Partner": "acme"}).text == "acme"
    for headers in ({}, {"X-Partner": "other"}, {"X-API-Key": "acme"}):
        answer = client.get(f"/key/{way}", headers=headers)
        problem(answer, 401)
        assert "www-authenticate" not in answer.headers
    assert problem(client.get(f"/key/{way}", headers={"X-Partner": "locked"}), 403)["detail"] == "This key is locked."


@pytest.mark.parametrize("way", WAYS)
def test_ones_own(client, way):
    assert client.get(f"/own/{way}", headers={"X-Secret": "yes"}).text == "secret"
    assert client.get(f"/own/{way}").headers["www-authenticate"] == "Secret"


@pytest.mark.parametrize("way", WAYS)
def test_the_first_that_knows_counts(client, ada, way):
    path = f"/several/{way}"
    assert client.get(path, headers={"Authorization": "Bearer ada", "X-Partner": "acme"}).text == "ada"
    assert client.get(path, headers={"X-Partner": "acme"}).text == "acme"
    assert client.get(path, headers={"X-Secret": "yes"}).text == "secret"
    assert client.get(path).headers.get_list("www-authenticate") == ["Bearer", "Secret"]
    log_in(client, ada)
    assert client.get(path, headers={"X-Partner": "acme"}).text == "ada"


@pytest.mark.parametrize("way", ["sync", "async"])
def test_strangers_come_in_where_they_may(client, way):
    assert client.get(f"/optional/{way}").text == "nobody"
    assert client.get(f"/optional/{way}", headers={"Authorization": "Bearer ada"}).text == "ada"
    problem(client.get(f"/optional/{way}", headers={"Authorization": "Bearer wrong"}), 401)


@pytest.mark.parametrize("way", WAYS)
def test_a_coroutine_is_nobody_until_it_has_ended(client, way):
    assert client.get(f"/mixed/{way}", headers={"Authorization": "Bearer ada"}).text == "ada"
    problem(client.get(f"/mixed/{way}", headers={"Authorization": "Bearer wrong"}), 401)


@pytest.mark.parametrize("way", WAYS)
def test_false_is_nobody(client, way):
    assert client.get(f"/bool/{way}", headers={"X-API-Key": "right"}).status_code == 200
    problem(client.get(f"/bool/{way}", headers={"X-API-Key": "wrong"}), 401)


def test_the_current_user_is_somebody(client):
    problem(client.get("/optional/blocking"), 401)


@pytest.mark.parametrize("kind", AUTH)
def test_a_handler_that_takes_nothing(client, kind):
    headers = {"Authorization": "Bearer ada", "X-Partner": "acme", "X-Secret": "yes", "X-API-Key": "right"}
    assert client.get(f"/{kind}/none", headers=headers).text == "in"
    if kind != "optional":
        problem(client.get(f"/{kind}/none"), 401)


def test_websockets(client, ada):
    url = str(client.base_url.join("/socket")).replace("http", "ws", 1)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": f"sessionid={'x' * 32}"}):
        with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers=headers):
            pass
        assert refused.value.response.status_code == 401
        assert refused.value.response.headers["content-type"] == "application/problem+json"
        assert refused.value.response.headers["www-authenticate"].startswith("Bearer")
    with connect(url, additional_headers={"Authorization": "Bearer ada"}) as connection:
        assert connection.recv(10) == "ada"
    log_in(client, ada)
    cookie = {"Cookie": f"sessionid={client.cookies['sessionid']}"}
    with connect(url, additional_headers=cookie, origin=str(client.base_url).rstrip("/")) as connection:
        assert connection.recv(10) == "ada"
    with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers=cookie, origin="https://evil.test"):
        pass
    assert refused.value.response.status_code == 403


def test_a_secret_key_that_is_going_out(client, ada):
    """Django gives such a session a new key, which a handshake could not send."""
    with override_settings(SECRET_KEY="an older one"):
        log_in(client, ada)
    url = str(client.base_url.join("/socket")).replace("http", "ws", 1)
    problem(client.get("/several/sync"), 401)
    with override_settings(SECRET_KEY="an older one"):
        log_in(client, ada)
    key = client.cookies["sessionid"]
    with override_settings(SECRET_KEY_FALLBACKS=["an older one"]):
        for _ in range(2):
            with connect(url, additional_headers={"Cookie": f"sessionid={key}"}) as connection:
                assert connection.recv(10) == "ada"
        answer = client.get("/several/async")
    assert answer.text == "ada" and answer.cookies["sessionid"] != key
    client.cookies.clear()
    client.cookies.set("sessionid", answer.cookies["sessionid"])
    assert client.get("/several/sync").text == "ada"


def test_what_does_not_fit():
    with pytest.raises(TypeError, match="give an authenticator, such as"):
        _ = _with(auth=SessionAuth).routes
    with pytest.raises(TypeError, match=r"inline says that nothing blocks.*test_tokens.py:\d+"):
        _ = _with(auth=SessionAuth(), inline=True).routes
    with pytest.raises(TypeError, match="give a function that takes"):
        BearerAuth("secret")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"API\(\) has no option atuh"):
        API(atuh=SessionAuth())  # type: ignore[call-arg]


def _with(**options: Any) -> API:
    made = API()

    @made.get("/", **options)
    def handler() -> None:
        pass

    return made


def test_a_route_without_options_is_what_it_was():
    made = API(tags=["x"])

    @made.get("/plain")
    def plain() -> int:
        return 1

    @made.get("/typed/{id}")
    async def typed(id: int) -> int:
        return id

    first, second = made.routes
    assert first.handler is plain and first.kind == "sync"
    assert second.handler is made.routes[1].handler and second.kind == "async"
    assert second.handler.__code__.co_filename.startswith("<what")
    guarded = API(auth=BearerAuth(find))
    guarded.get("/open", auth=None)(plain)
    assert guarded.routes[0].handler is plain


def test_what_describes_it():
    several = next(route for route in api.routes if route.path == "/several/sync").operation
    assert [each.security for each in several.auth] == [
        ("session", {"type": "apiKey", "in": "cookie", "name": "sessionid"}),
        ("bearer", {"type": "http", "scheme": "bearer"}),
        ("X-Partner", {"type": "apiKey", "in": "header", "name": "X-Partner"}),
        ("secret", {"type": "apiKey", "in": "header", "name": "X-Secret"}),
    ]
