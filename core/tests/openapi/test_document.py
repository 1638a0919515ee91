"""The OpenAPI document: valid, and as the handlers are."""

import json
from typing import Annotated, Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import models
from openapi_spec_validator import OpenAPIV31SpecValidator

from django_rivet import API, File, Form, Header, HTTPError, Response, Throttle, UploadedFile
from django_rivet.openapi import Docs, document
from everything.api import api as everything

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(everything.routes, title="Everything", version="1.2")


def of(path: str, described: dict[str, Any]) -> Any:
    """`GET /api/items`: its operation."""
    method, _, path = path.partition(" ")
    return described["paths"][path][method.lower()]


def parameter(operation: Any, name: str) -> Any:
    return next(each for each in operation["parameters"] if each["name"] == name)


def test_it_is_valid(described: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(described).validate()
    assert described["openapi"].startswith("3.1.")
    assert described["info"] == {"title": "Everything", "version": "1.2"}


def test_what_cannot_or_shall_not_be_described_is_left_out(described: dict[str, Any]) -> None:
    assert not {"/api/live", "/api/hidden", "/api/docs", "/api/docs/openapi.json"} & described["paths"].keys()
    shown = [route for route in everything.routes if route.method != "WEBSOCKET" and route.operation.include_in_schema]
    assert sum(len(item) for item in described["paths"].values()) == len(shown) == 26


def test_parameters(described: dict[str, Any]) -> None:
    read = of("GET /api/items/{id}", described)
    assert parameter(read, "id")["schema"] == {"type": "integer", "minimum": 1, "maximum": 2**31}
    # A path has one set of names, whatever each handler calls them.
    assert parameter(of("PUT /api/items/{id}", described), "id")["in"] == "path"
    search = of("GET /api/items", described)
    assert [each["name"] for each in search["parameters"]] == ["sort", "least", "tag", "limit"]
    assert parameter(search, "limit")["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert parameter(search, "tag")["schema"] == {"type": "array", "items": {"type": "string"}, "default": []}
    fields = of("GET /api/fields", described)
    assert [(each["name"], each["in"], each.get("required", False)) for each in fields["parameters"]] == [
        ("x-key", "header", True),
        ("x-count", "header", False),
        ("x-numbers", "header", False),
        ("theme", "cookie", False),
    ]
    assert parameter(of("GET /api/texts/{first}/{second}", described), "first")["schema"]["minLength"] == 1
    at = parameter(of("GET /api/dates/{day}", described), "at")
    assert at["schema"]["anyOf"][0] == {"type": "string", "format": "date-time"}


def test_bodies(described: dict[str, Any]) -> None:
    create = of("POST /api/items", described)["requestBody"]
    reference = {"$ref": "#/components/schemas/Item"}
    assert create == {"required": True, "content": {"application/json": {"schema": reference}}}
    assert "required" not in of("POST /api/maybe", described)["requestBody"]
    login = of("POST /api/login", described)["requestBody"]["content"]
    assert login.keys() == {"multipart/form-data", "application/x-www-form-urlencoded"}
    assert login["multipart/form-data"]["schema"]["required"] == ["user"]
    picture = of("POST /api/picture", described)["requestBody"]["content"]
    assert picture.keys() == {"multipart/form-data"}
    assert picture["multipart/form-data"]["schema"]["properties"]["picture"]["format"] == "binary"


def test_schemas(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["Item"]["required"] == ["name"]
    assert schemas["Item"]["properties"]["name"] == {"type": "string", "minLength": 1, "maxLength": 20}
    assert schemas["Size"]["properties"].keys() == {"inMetres", "exact"}
    assert schemas["Colour"]["enum"] == ["green", "red"]
    pet = of("POST /api/pets", described)["requestBody"]["content"]["application/json"]["schema"]
    assert pet["discriminator"]["propertyName"] == "type"
    assert "Filter" not in schemas and "Login" not in schemas  # their fields are parameters


@pytest.mark.parametrize(
    ("path", "answers"),
    [
        ("GET /api/items/{id}", {"200": "application/json", "404": PROBLEM, "422": PROBLEM}),
        ("DELETE /api/items/{id}", {"204": None, "404": PROBLEM, "422": PROBLEM}),
        ("GET /api/texts/{first}/{second}", {"200": "text/plain", "422": PROBLEM}),
        ("GET /api/bytes", {"200": "application/pdf"}),
        ("GET /api/old", {"302": None}),
        ("GET /api/django", {"200": "application/json"}),
        ("GET /api/file", {"200": "*/*"}),
        ("GET /api/export", {"200": "text/csv"}),
        ("GET /api/events", {"200": "text/event-stream"}),
        ("GET /api/partner", {"200": "application/json", "401": PROBLEM}),
    ],
)
def test_answers(path: str, answers: dict[str, str | None], described: dict[str, Any]) -> None:
    found = {
        status: next(iter(answer["content"])) if "content" in answer else None
        for status, answer in of(path, described)["responses"].items()
    }
    assert found == answers


def test_refusals_of_bodies(described: dict[str, Any]) -> None:
    assert of("POST /api/maybe", described)["responses"].keys() == {"200", "204", "400", "413", "415", "422"}
    assert of("GET /api/old", described)["responses"]["302"]["headers"].keys() == {"Location"}


def test_security(described: dict[str, Any]) -> None:
    assert of("GET /api/me", described)["security"] == [{"session": []}, {"bearer": []}]
    rename = of("POST /api/me", described)
    assert rename["security"] == [{"session": [], "csrf": []}]
    assert {"401", "403"} <= rename["responses"].keys()
    assert described["components"]["securitySchemes"] == {
        "X-API-Key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-Csrftoken"},
        "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }


def test_words(described: dict[str, Any]) -> None:
    read = of("GET /api/items/{id}", described)
    assert (read["summary"], read["description"]) == ("One item.", "The odd ones are not there.")
    assert read["tags"] == ["all", "items"]
    assert of("GET /api/fields", described)["deprecated"] is True


def test_ids_are_unique_and_do_not_depend_on_the_order(described: dict[str, Any]) -> None:
    def ids(routes: Any) -> dict[tuple[str, str], str]:
        found = document(routes)["paths"]
        return {(path, method): each["operationId"] for path, item in found.items() for method, each in item.items()}

    first, backwards = ids(everything.routes), ids(reversed(everything.routes))
    assert sorted(first.values()) == sorted(backwards.values()) == sorted({*first.values()})
    assert first["/api/items", "post"] == "everything_create"
    assert first["/api/fields", "get"] == "fields"


def test_handlers_of_one_name() -> None:
    api = API("/a")

    def both() -> None: ...
    def of(x: str) -> None: ...

    of.__name__ = "both"
    api.get("/x")(both)
    api.post("/x")(both)
    api.post("/{x}")(of)
    found = document(api.routes)["paths"]
    assert found["/a/x"]["get"]["operationId"] == "project_both_get_a_x"
    assert found["/a/x"]["post"]["operationId"] == "project_both_post_a_x"
    assert found["/a/{x}"]["post"]["operationId"] == "project_both_post_a_by_x"


def test_an_id_that_is_there_twice() -> None:
    api = API("/a")
    api.get("/x", operation_id="same")(lambda: None)
    api.get("/y", operation_id="same")(lambda: None)
    with pytest.raises(ValueError, match="operation_id='same' is there 2 times"):
        document(api.routes)


class Status(models.TextChoices):
    OPEN = "open"
    DONE = "done"


class Conflict(msgspec.Struct):
    holder: str
    status: Status


def test_documented_answers() -> None:
    api = API("/a", responses={409: Conflict, 503: HTTPError})

    @api.get("/x", responses={503: {"description": "Come again."}, 202: None})
    def handler() -> Response[dict[str, int]]:
        return Response({})

    described = document(api.routes)
    answers = described["paths"]["/a/x"]["get"]["responses"]
    status = described["components"]["schemas"]["Conflict"]["properties"]["status"]
    assert status == {"title": "Status", "enum": ["open", "done"]}
    assert answers["409"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Conflict"}
    assert answers["503"] == {"description": "Come again."}
    assert answers["202"] == {"description": "Accepted"}


def test_answers_that_options_bring() -> None:
    api = API("/a", timeout=2)

    @api.get("/x/{id}", etag=lambda id: id)
    def handler(id: str) -> dict[str, str]:
        return {}

    answers = document(api.routes)["paths"]["/a/x/{id}"]["get"]["responses"]
    assert answers.keys() == {"200", "304", "412", "504"}
    assert "content" not in answers["304"] and answers["504"]["content"].keys() == {PROBLEM}


def test_throttles() -> None:
    api = API("/a", throttle=Throttle("9/min"))
    api.get("/x")(lambda: None)
    answers = document(api.routes)["paths"]["/a/x"]["get"]["responses"]
    assert all(answer["headers"].keys() >= {"RateLimit", "RateLimit-Policy"} for answer in answers.values())
    assert "Retry-After" in answers["429"]["headers"]


def test_what_conditions_take() -> None:
    api = API("/a")

    def version(id: int, zone: str, draft: bool = False) -> str: ...

    def changed(x_since: Annotated[str, Header()]) -> None: ...

    @api.get("/x/{id}", etag=version, last_modified=changed)
    def read(id: str, zone: str = "utc", limit: int = 1) -> dict[str, str]: ...

    @api.put("/x/{id}", etag=version)
    def write(id: str, if_match: Annotated[str, Header()], zone: str = "utc") -> None: ...

    item = document(api.routes)["paths"]["/a/x/{id}"]
    parameters = {each["name"]: each for each in item["get"]["parameters"]}
    assert list(parameters) == ["id", "zone", "limit", "draft", "x-since", "If-None-Match", "If-Modified-Since"]
    assert parameters["id"]["schema"]["type"] == "integer"
    assert [name for name, each in parameters.items() if each.get("required")] == ["id", "zone", "x-since"]
    answers = item["get"]["responses"]
    assert answers.keys() == {"200", "304", "412", "422"}
    assert answers["200"]["headers"].keys() == answers["304"]["headers"].keys() == {"ETag", "Last-Modified"}
    assert [each["name"] for each in item["put"]["parameters"]] == ["id", "if-match", "zone", "draft"]
    assert item["put"]["responses"].keys() == {"204", "412", "422"}
    assert "headers" not in item["put"]["responses"]["204"]


def test_a_whole_form_may_be_empty_of_files() -> None:
    api = API("/a")

    @api.post("/x")
    def handler(note: Annotated[str, Form()] = "", file: UploadedFile | None = None) -> None: ...

    content = document(api.routes)["paths"]["/a/x"]["post"]["requestBody"]["content"]
    assert content.keys() == {"multipart/form-data", "application/x-www-form-urlencoded"}


def test_what_a_file_must_be() -> None:
    api = API("/a")

    @api.post("/x")
    def handler(
        picture: Annotated[UploadedFile, File(max_size="1K", types=["image/png", "image/jpeg"])],
        parts: Annotated[list[UploadedFile], File("part", max_size=7)],
    ) -> None: ...

    content = document(api.routes)["paths"]["/a/x"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert content["schema"]["properties"]["picture"]["maxLength"] == 1024
    assert content["schema"]["properties"]["part"]["items"]["maxLength"] == 7
    assert content["encoding"] == {"picture": {"contentType": "image/png, image/jpeg"}}


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    call_command("openapi")
    told = json.loads(capsys.readouterr().out)
    assert told["info"] == {"title": "Everything", "version": "1.2", "description": "All kinds."}
    call_command("openapi", output=str(tmp_path / "api.json"), docs="/docs")
    assert json.loads((tmp_path / "api.json").read_text()) == told
    with pytest.raises(CommandError, match="no Docs with the prefix /other"):
        call_command("openapi", docs="/other")


def test_docs_of_some_apis_only() -> None:
    small = API("/small")
    small.get("/x")(lambda: None)
    assert Docs("/docs", apis=[small]).document()["paths"].keys() == {"/small/x"}
    with pytest.raises(ValueError, match="prefix"):
        Docs("")
