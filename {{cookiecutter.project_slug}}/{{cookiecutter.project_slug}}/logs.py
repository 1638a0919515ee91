from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware as BaseMiddleware


class RequestMiddleware(BaseMiddleware):
    """Binds the request's id to each log line."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Leave out the query string: it may hold a token or somebody's data."""
        return f"{request.method} {request.path}"
