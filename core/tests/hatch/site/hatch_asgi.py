"""For uvicorn; runrivet sees through it."""

import os

from django.core.asgi import get_asgi_application

from django_rivet.hatch import NativeApplication

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hatch_settings")
application = NativeApplication(get_asgi_application())
