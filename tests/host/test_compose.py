"""bin/compose: the host's Compose where it is new enough, else the one in .tools/, else Debian's; never the old one."""

import pytest

OLD = 'echo "the old docker-compose ran"'
COMPOSE = """
if [ "$1 $2" = "version --short" ]; then echo {version}; else echo "{name}: $*"; fi
"""
# A docker whose `compose` is of that version, and which gives out a Compose of Debian's packages.
DOCKER = """
echo "$*" >> "$HOME/asked"
case "$1" in
    compose) shift; {compose} ;;
    image) cat "$HOME/image" ;;
    create) echo 1234 ;;
    start) exit {start} ;;
    rm) ;;
    cp) printf '#!/bin/sh\\n%s\\n' '{debian}' > "$3"; chmod +x "$3" ;;
    *) exit 1 ;;
esac
"""
NONE = "echo 'docker: compose is not a docker command' >&2; exit 1"


def compose(name, version):
    return COMPOSE.format(name=name, version=version)


DEBIAN = compose("debian", "2.26.1-4")


@pytest.fixture
def host(machine):
    machine.fake("docker-compose", OLD)

    def docker(plugin=NONE, debian=DEBIAN, start=0):
        machine.fake("docker", DOCKER.format(compose=plugin, debian=debian, start=start))

    machine.docker = docker
    # base/build is tested elsewhere.
    (machine.project / "base/build").write_text("#!/bin/sh\n")
    return machine


@pytest.mark.parametrize("version", ["2.20.0", "v2.20.3", "2.26.1-4", "5.0.1", "2.24.6+ds1-0ubuntu2"])
def test_the_host_s_own(host, version):
    host.docker(compose("host", version))
    assert host.run("bin/compose", "up", "a b").stdout == "host: up a b\n"
    assert not (host.project / ".tools").exists()


@pytest.mark.parametrize("plugin", [NONE, compose("host", "2.9.0"), compose("host", "v2.19.1"), "exit 0"])
def test_debian_s_is_taken_once(host, plugin):
    host.docker(plugin)
    first = host.run("bin/compose", "ps")
    assert first.stdout == "debian: ps\n"
    assert len([line for line in first.stderr.splitlines() if line.startswith("compose:")]) == 1
    second = host.run("bin/compose", "ps")
    assert (second.stdout, second.stderr) == ("debian: ps\n", "")


def test_an_old_one_in_tools_is_replaced(host):
    host.docker()
    (host.project / ".tools").mkdir()
    own = host.project / ".tools/docker-compose"
    own.write_text("#!/bin/sh\n" + compose("stale", "2.3.0"))
    own.chmod(0o755)
    assert host.run("bin/compose", "ps").stdout == "debian: ps\n"


def test_none_to_be_had_is_one_line(host):
    """Where Debian's own is the old one, too."""
    host.docker(debian=OLD)
    done = host.run("bin/compose", "ps")
    assert done.returncode == 1
    assert "the old docker-compose ran" not in done.stdout
    assert done.stderr.splitlines()[-1].startswith("compose: Compose >= 2.20 is missing: https://")


def test_no_network_is_one_line(host, tmp_path):
    host.docker(start=100)
    done = host.run("bin/compose", "ps")
    assert done.returncode == 1
    assert "install Compose >= 2.20: https://" in done.stderr.splitlines()[-1]
    assert (tmp_path / "asked").read_text().splitlines()[-1] == "rm -f 1234"
    assert not (host.project / ".tools").exists()


def test_a_base_that_cannot_be_made_is_the_end(host, tmp_path):
    host.docker()
    (host.project / "base/build").write_text("#!/bin/sh\necho 'base: no' >&2; exit 1\n")
    done = host.run("bin/compose", "ps")
    assert (done.returncode, done.stderr) == (1, "base: no\n")
    assert "create" not in (tmp_path / "asked").read_text()


def test_its_exit_code_is_passed_on(host):
    host.docker(compose("host", "2.26.0").replace('echo "host', 'exit 7; echo "host'))
    assert host.run("bin/compose", "up").returncode == 7
