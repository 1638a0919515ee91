"""The native API described by itself: OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.1.html, and a page that shows it.

    # shop/api.py
    api = API()
    api.include(Docs("/docs", title="Shop"))

The page is at /docs, the document at /docs/openapi.json. `manage.py openapi` prints the document too.
"""

from django_rivet.openapi.docs import Docs
from django_rivet.openapi.document import document

__all__ = ["Docs", "document"]
