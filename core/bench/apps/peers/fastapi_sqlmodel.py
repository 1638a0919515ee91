"""FastAPI with the ORM of its own tutorial, where fastapi_app.py asks Django's.

https://fastapi.tiangolo.com/tutorial/sql-databases/
"""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, create_engine, select


class Item(SQLModel, table=True):
    __tablename__ = "shop_item"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    price: int


# A connection for each thread of FastAPI's pool, so that none waits for another's.
engine = create_engine("postgresql+psycopg://bench@127.0.0.1:6432/bench", pool_size=40)
app = FastAPI()


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@app.get("/items")
def items(session: Annotated[Session, Depends(get_session)]) -> list[Item]:
    return list(session.exec(select(Item).limit(10)))
