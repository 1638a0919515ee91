import os
from typing import Any

import django
from fastapi import FastAPI
from pydantic import BaseModel, Field

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from shop.models import Item  # noqa: E402  after setup()
from shop.samples import LARGE  # noqa: E402

app = FastAPI()


class Order(BaseModel):
    title: str
    price: float
    count: int = Field(ge=1)
    tags: list[str]


@app.get("/json")
async def json() -> dict[str, str]:
    return {"message": "Hello World"}


@app.get("/typed/{number}")
async def typed(number: int, q: str = "", limit: int = 10) -> dict[str, Any]:
    return {"number": number, "q": q, "limit": limit}


@app.post("/orders")
async def order(order: Order) -> Order:
    return order


@app.get("/large")
async def large() -> list[dict[str, Any]]:
    return LARGE


@app.get("/items")
def items() -> list[dict[str, Any]]:
    return list(Item.objects.values("id", "name", "price")[:10])
