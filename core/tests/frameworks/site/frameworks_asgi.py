"""Django's own handler, for uvicorn."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "frameworks_settings")
application = get_asgi_application()
