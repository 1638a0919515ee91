"""web/entrypoint: what the servers of `web` are told. What nginx says of visitors: the project's smoke tests."""

import shutil

import pytest
from generation import ROOT


@pytest.fixture
def told(machine):
    """The command line of the server that WEB_SERVER names."""
    shutil.copytree(ROOT / "web", machine.project / "web")
    for name in "python", "uvicorn":
        machine.fake(name, f'echo {name} "$@"')

    def told(server):
        environment = {"DJANGO_SETTINGS_MODULE": "shop.settings", "WEB_SERVER": server}
        return machine.run("web/entrypoint", "web", **environment).stdout.split()

    return told


@pytest.mark.parametrize(("server", "option"), [("rivet", "--trusted-proxies"), ("uvicorn", "--forwarded-allow-ips")])
def test_nginx_is_believed_who_asks(told, server, option):
    """Else all visitors have one address, nginx's, and a throttle counts them as one."""
    words = told(server)
    assert words[words.index(option) + 1] == "*"
