"""The OpenAPI document and its page: the same on three servers."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("three")


def test_the_document(server, servers):
    response, body = server.get("/described/openapi.json")
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["info"]["title"] == "Shop"
    assert body == servers("runrivet").get("/described/openapi.json")[1]
    again, nothing = server.get("/described/openapi.json", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status, nothing) == (304, b"")


def test_the_page(server):
    response, body = server.get("/described")
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert response.headers["content-security-policy"].startswith("default-src 'self';")
    assert b'src="described/docs.js"' in body
    assert server.get("/described/docs.js")[0].headers["content-type"] == "text/javascript; charset=utf-8"
