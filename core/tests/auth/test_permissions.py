"""What users may, and how often."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache.backends.locmem import LocMemCache
from django.http import Http404, HttpResponse
from django.test import override_settings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from django_rivet import (
    API,
    Anonymous,
    APIKeyAuth,
    BearerAuth,
    IsAuthenticated,
    IsStaff,
    IsSuperuser,
    Request,
    Response,
    Router,
    Stream,
    Throttle,
    WebSocket,
)
from serving import problem, serving


def find(name: str) -> User | None:
    return User.objects.filter(username=name).first()


def at_home(request: Request) -> bool:
    return request.header("x-home") == "yes"


async def has_sessions(user: User) -> bool:
    return await user.groups.acount() == 0 and user.username == "ada"


def at_door(sender: Request | WebSocket) -> bool:
    return sender.header("x-home") == "yes"


def in_database(user: User) -> bool:
    return User.objects.filter(pk=user.pk, username="ada").exists()


in_database.detail = "Only for ada."  # type: ignore[attr-defined]
RULES: dict[str, Any] = {
    "staff": IsStaff,
    "super": IsSuperuser,
    "known": IsAuthenticated,
    "add": "sessions.add_session",
    "both": ["sessions.add_session", at_home],
    "home": at_home,
    "door": at_door,
    "later": has_sessions,
    "database": in_database,
    "lambda": lambda user: user.username == "ada",
}
api = API(auth=[BearerAuth(find), Anonymous()])
for _name, _rule in RULES.items():
    _router = Router(f"/{_name}", permissions=_rule)

    @_router.get("/sync")
    @_router.get("/blocking", blocking=True)
    def sync() -> str:
        return "in"

    @_router.get("/async")
    async def async_() -> str:
        return "in"

    @_router.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        socket.accept()

    api.include(_router)


@api.get("/strangers/home", auth=None, permissions=at_home)
async def home() -> str:
    return "in"


@pytest.fixture(scope="module")
def client(ada: User, staff: User) -> Iterator[Any]:
    User.objects.create_superuser("root")
    may = User.objects.create_user("may")
    may.user_permissions.add(Permission.objects.get(codename="add_session"))
    with serving(api) as client:
        yield client


@pytest.mark.parametrize("way", ["sync", "blocking", "async"])
@pytest.mark.parametrize(
    ("rule", "let_in", "why"),
    [
        ("staff", {"grace", "root"}, "This is for staff only."),
        ("super", {"root"}, "This is for superusers only."),
        ("known", {"ada", "grace", "may", "root"}, ""),
        ("add", {"may", "root"}, "This needs the permission sessions.add_session."),
        ("both", set(), "You may not do this."),
        ("home", set(), "You may not do this."),
        ("door", set(), "You may not do this."),
        ("later", {"ada"}, "You may not do this."),
        ("database", {"ada"}, "Only for ada."),
        ("lambda", {"ada"}, "You may not do this."),
    ],
)
def test_who_may(client, rule, way, let_in, why):
    for name in ("ada", "grace", "may", "root"):
        answer = client.get(f"/{rule}/{way}", headers={"Authorization": f"Bearer {name}"})
        if name in let_in:
            assert answer.text == "in", name
        elif rule != "both" or name not in ("ada", "grace"):
            assert problem(answer, 403)["detail"] == why
    problem(client.get(f"/{rule}/{way}"), 401)


@pytest.mark.parametrize("way", ["sync", "blocking", "async"])
def test_all_must_hold(client, way):
    headers = {"Authorization": "Bearer may"}
    problem(client.get(f"/both/{way}", headers=headers), 403)
    assert client.get(f"/both/{way}", headers=headers | {"X-Home": "yes"}).text == "in"
    ada = {"Authorization": "Bearer ada", "X-Home": "yes"}
    assert "sessions.add_session" in problem(client.get(f"/both/{way}", headers=ada), 403)["detail"]


def test_rules_of_the_request_need_no_user(client):
    assert client.get("/strangers/home", headers={"X-Home": "yes"}).text == "in"
    problem(client.get("/strangers/home"), 403)


def test_websockets(client):
    url = str(client.base_url.join("/staff/socket")).replace("http", "ws", 1)
    for name, status in (("ada", 403), ("nobody", 401)):
        headers = {"Authorization": f"Bearer {name}"}
        with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers=headers):
            pass
        assert refused.value.response.status_code == status
    with connect(url, additional_headers={"Authorization": "Bearer grace"}):
        pass
    door = url.replace("/staff/", "/door/")
    with connect(door, additional_headers={"Authorization": "Bearer ada", "X-Home": "yes"}):
        pass


def test_mistakes():
    for rule, said in (
        ("add_order", "write a Django permission as 'orders.add_order'"),
        (7, "or a function of the user or the request"),
        (lambda: True, "it takes one parameter"),
    ):
        with pytest.raises(TypeError, match=said):
            _ = _route(auth=Anonymous(), permissions=rule).routes
    with pytest.raises(TypeError, match="permissions need auth="):
        _ = _route(permissions=IsStaff).routes
    with pytest.raises(TypeError, match=r"auth=\[\] lets everybody in"):
        _ = _route(auth=[]).routes
    with pytest.raises(ValueError, match="write a rate as '100/min'"):
        Throttle("often")
    with pytest.raises(TypeError, match="give a Throttle"):
        _ = _route(throttle="5/min").routes
    with pytest.raises(TypeError, match="the key is a def"):
        Throttle("5/min", key=has_sessions)  # type: ignore[arg-type]


def _route(**options: Any) -> API:
    made = API()
    made.get("/", **options)(lambda: None)
    return made


limited = API("/limited", auth=[BearerAuth(find), Anonymous()], throttle=Throttle("3/day"))


@limited.get("/sync")
@limited.get("/blocking", blocking=True)
def limited_sync() -> str:
    return "in"


@limited.get("/async")
async def limited_async() -> str:
    return "in"


def kind_of(kind: str) -> Any:
    match kind:
        case "response":
            return Response("x", status=203)
        case "django":
            return HttpResponse("x", status=202)
        case "stream":
            return Stream(iter([b"x"]), status=200)
        case "missing":
            raise Http404
        case "fails":
            raise LookupError("secret")
    return {"kind": kind}


@limited.get("/kinds/sync/{kind}", status=201)
def kinds(kind: str, number: int) -> Any:
    return kind_of(kind)


@limited.get("/kinds/async/{kind}", status=201)
async def kinds_later(kind: str, number: int) -> Any:
    return kind_of(kind)


@limited.get("/session")
def visit(request: Request) -> str:
    request.session["number"] = 7
    return str(request.session["number"])


@limited.get("/own", throttle=Throttle("1/day"))
async def own() -> str:
    return "in"


@limited.get("/other", throttle=Throttle("1/day"))
async def other() -> str:
    return "in"


@limited.get("/shared/{number}", throttle=Throttle("1/day", name="together"))
@limited.get("/shared", throttle=Throttle("1/day", name="together"))
def shared(number: str = "") -> str:
    return "in"


@limited.get("/two", throttle=[Throttle("1/s"), Throttle("2/day")])
async def two() -> str:
    return "in"


@limited.get("/none", throttle=None)
async def unlimited() -> str:
    return "in"


@limited.get("/header", throttle=Throttle("1/day", key=lambda request: request.header("x-who")))
def by_header() -> str:
    return "in"


@limited.get("/login", auth=BearerAuth(find), throttle=Throttle("2/day"))
def guessing() -> str:
    return "in"


@dataclass
class Partner:
    """A principal with numbers of its own."""

    pk: int


@limited.get("/numbers", auth=[BearerAuth(find), APIKeyAuth(lambda key: Partner(int(key)))], throttle=Throttle("1/day"))
def numbers() -> str:
    return "in"


for _prefix in ("/first", "/second"):
    _router = Router(throttle=Throttle("1/day"))
    _router.get("/all")(numbers)
    _router.get("/one", throttle=Throttle("1/day"))(numbers)
    limited.include(_router, _prefix)


@pytest.fixture
def often() -> Iterator[Any]:
    with serving(limited, trusted_proxies="127.0.0.1") as client:
        yield client


def _statuses(client: Any, path: str, times: int, **headers: str) -> list[int]:
    return [client.get(path, headers=headers).status_code for _ in range(times)]


def test_a_throttle_counts_for_all_that_it_is_declared_for(often, ada):
    assert [often.get(f"/limited/{way}").status_code for way in ("sync", "blocking", "async", "sync")] == [
        200, 200, 200, 429,
    ]  # fmt: skip
    refused = often.get("/limited/async")
    left = int(refused.headers["retry-after"])
    assert 0 < left <= 86400
    assert problem(refused, 429)["detail"].startswith("More than 3/day: try again in ")
    assert refused.headers["ratelimit"] == f'"3/day";r=0;t={left}'
    # Others count for themselves: users, addresses, routes with a throttle of their own.
    assert _statuses(often, "/limited/sync", 4, Authorization="Bearer ada") == [200, 200, 200, 429]
    assert _statuses(often, "/limited/sync", 1, **{"X-Forwarded-For": "192.0.2.1"}) == [200]
    assert _statuses(often, "/limited/own", 2) == [200, 429]
    assert _statuses(often, "/limited/other", 2) == [200, 429]
    assert _statuses(often, "/limited/none", 5) == [200] * 5
    # Unless they share a name.
    assert _statuses(often, "/limited/shared", 1) == [200]
    assert _statuses(often, "/limited/shared/1", 1) == [429]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("value", 201), ("response", 203), ("django", 202), ("stream", 200), ("missing", 404), ("fails", 500)],
)
@pytest.mark.parametrize("way", ["sync", "async"])
def test_each_answer_says_what_is_left(often, ada, way, kind, status):
    with patch("time.time", return_value=86400.0 * 20_000 + 400.25):
        for left in (2, 1):
            answer = often.get(f"/limited/kinds/{way}/{kind}?number=1")
            assert answer.status_code == status
            assert answer.headers.get_list("ratelimit-policy") == ['"3/day";q=3;w=86400']
            assert answer.headers.get_list("ratelimit") == [f'"3/day";r={left};t=86000']
        answer = often.get(f"/limited/kinds/{way}/{kind}?number=x")
        assert (answer.status_code, answer.headers["ratelimit"]) == (422, '"3/day";r=0;t=86000')
    assert "ratelimit" not in often.get("/limited/none").headers


def test_declarations_of_one_path_count_apart(ada):
    made, first, second = API(), Router(), Router()
    first.get("/login", throttle=Throttle("1/day"))(lambda: "in")
    second.get("/login", throttle=Throttle("1/day"))(lambda: "in")
    made.include(first, "/a")
    made.include(second, "/b")
    with serving(made) as client:
        assert _statuses(client, "/a/login", 2) == [200, 429]
        assert _statuses(client, "/b/login", 2) == [200, 429]


def test_what_several_throttles_and_a_session_add(often):
    with patch("time.time", return_value=86400.0 * 20_000):
        answer = often.get("/limited/two")
    assert answer.headers["ratelimit-policy"] == '"1/s";q=1;w=1, "2/day";q=2;w=86400'
    assert answer.headers["ratelimit"] == '"1/s";r=0;t=1, "2/day";r=1;t=86400'
    answer = often.get("/limited/session")
    assert answer.headers["ratelimit"].startswith('"3/day";r=2;')
    assert answer.cookies["sessionid"] and answer.text == "7"


def test_a_network_of_ipv6_is_one(often):
    for number in range(4):
        address = {"X-Forwarded-For": f"2001:db8:0:1::{number}"}
        assert _statuses(often, "/limited/sync", 1, **address) == [429 if number == 3 else 200]
    assert _statuses(often, "/limited/sync", 1, **{"X-Forwarded-For": "2001:db8:0:2::1"}) == [200]


def test_principals_of_two_kinds_count_apart(often, ada):
    assert _statuses(often, "/limited/numbers", 2, Authorization="Bearer ada") == [200, 429]
    assert _statuses(often, "/limited/numbers", 2, **{"X-API-Key": str(ada.pk)}) == [200, 429]


@pytest.mark.parametrize("path", ["all", "one"])
def test_routers_that_look_alike_count_apart(often, path):
    for prefix in ("first", "second"):
        assert _statuses(often, f"/limited/{prefix}/{path}", 2) == [200, 429]


def test_several_and_a_key(often):
    with patch("time.time", return_value=time.time()):
        assert _statuses(often, "/limited/two", 2) == [200, 429]
    assert _statuses(often, "/limited/header", 2, **{"X-Who": "a"}) == [200, 429]
    assert _statuses(often, "/limited/header", 2, **{"X-Who": "b"}) == [200, 429]
    assert _statuses(often, "/limited/header", 3) == [200] * 3, "None is not counted"


def test_wrong_tokens_count(often):
    assert _statuses(often, "/limited/login", 3, Authorization="Bearer wrong") == [401, 401, 429]


def test_the_count_begins_anew(often):
    with patch("time.time", return_value=1_000_000.0) as clock:
        assert _statuses(often, "/limited/own", 2) == [200, 429]
        clock.return_value += 86400
        assert _statuses(often, "/limited/own", 2) == [200, 429]


def test_nobody_slips_through_at_once(often):
    with patch("time.time", return_value=time.time()):
        got: list[int] = []
        threads = [threading.Thread(target=lambda: got.extend(_statuses(often, "/limited/sync", 5))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(got) == [200] * 3 + [429] * 17


class Broken(LocMemCache):
    """A cache that is down."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        raise ConnectionError("the cache is down")


@override_settings(CACHES={"default": {"BACKEND": f"{__name__}.Broken"}})
def test_a_cache_that_fails_lets_everybody_in(often, caplog):
    assert _statuses(often, "/limited/own", 3) == [200] * 3
    assert "ratelimit" not in often.get("/limited/own").headers
    assert "a throttle lets everybody in, as the cache 'default' failed: the cache is down" in caplog.text
