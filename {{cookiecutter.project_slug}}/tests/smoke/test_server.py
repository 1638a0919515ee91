"""WEB_SERVER -> entrypoint -> the process that answers."""

import os

import stack

PROCESS = {"rivet": "manage.py runrivet", "uvicorn": "bin/uvicorn"}


def test_the_chosen_server_runs() -> None:
    chosen = os.environ.get("WEB_SERVER", "rivet")
    for box in stack.containers("web"):
        assert f"WEB_SERVER={chosen}" in box["Config"]["Env"]
        assert PROCESS[chosen] in stack.docker("top", box["Id"], "-eo", "pid,args")
