from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image

from orders.models import Order

MakeOrder = Callable[..., Order]


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    file = BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else 0).save(file, kind, **options)
    return file.getvalue()
