"""Runs Django's own suites with our handler in the place of Django's: run_django.py RUNTESTS.PY ARGUMENTS..."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    del sys.argv[0]
    import asgi_handler
    import client_handlers
    import counting
    import live_server

    counting.install()
    asgi_handler.install()
    client_handlers.install()
    live_server.install()
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    runpy.run_path(sys.argv[0], run_name="__main__")
