"""bin/doctor: one line with its remedy for each thing that a machine can lack, and silence when it has all."""

import json
import socket

import pytest

INFO = """cat <<END
Client:
 Version: 20.10.24
Server:
 Server Version: {version}
 Docker Root Dir: {root}
END"""
DOCKER = """
case "$1" in
    info) {info}
    ;;
    images) echo {base} ;;
    ps) [ "$2" != "-q" ] || case "$*" in {holds}) echo 1234 ;; esac ;;
    inspect) cat "$HOME/container" ;;
esac
"""


@pytest.fixture
def docker(machine, tmp_path):
    def docker(info=None, version="20.10.24+dfsg1", base="abc", holds="none", folder=None):
        info = info or INFO.format(version=version, root=tmp_path)
        labels = {"com.docker.compose.project.working_dir": str(folder)} if folder else None
        (tmp_path / "container").write_text(json.dumps([{"Name": "/other-nginx-1", "Config": {"Labels": labels}}]))
        machine.fake("docker", DOCKER.format(info=info, base=base, holds=holds))

    docker()
    return docker


@pytest.fixture
def taken():
    """A port that something listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


@pytest.fixture
def free():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def lacks(machine, *words, **environment):
    """The one line that the doctor says."""
    done = machine.run("bin/doctor", *words, **environment)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def with_limits(machine, **limits):
    """The same doctor, asking for more or less."""
    doctor = machine.project / "bin/doctor"
    text = doctor.read_text()
    for name, value in {"MEMORY_GB": 0, "FIRST_DISK_GB, DISK_GB": "0, 0", **limits}.items():
        assert f"\n{name} = " in text
        text = text.replace(f"\n{name} = ", f"\n{name} = {value} #")
    doctor.write_text(text)


@pytest.fixture(autouse=True)
def small(machine):
    """The machine that runs these tests may be small or full."""
    with_limits(machine)


def test_nothing_is_lacking(machine, docker, free):
    done = machine.run("bin/doctor", "--venv", "--port", PORT=free)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_docker(machine):
    assert "Docker is not installed: https://" in lacks(machine)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            "echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1",
            "does not run: start it",
        ),
        ("echo 'Got permission denied while trying to connect to the socket' >&2; exit 1", "usermod -aG docker"),
        ("echo 'ERROR: permission denied while trying to connect to the docker API' >&2", "usermod -aG docker"),
    ],
)
def test_docker_cannot_be_asked(machine, docker, told, line):
    docker(info=told)
    assert line in lacks(machine)


@pytest.mark.parametrize("version", ["19.03.15", "20.9.0"])
def test_an_old_engine(machine, docker, version):
    docker(version=version)
    assert f"Docker Engine {version} is too old" in lacks(machine)


@pytest.mark.parametrize("version", ["20.10.0", "20.10.24+dfsg1", "28.2.2", "29.0.0-rc.1"])
def test_a_new_engine(machine, docker, version):
    docker(version=version)
    assert machine.run("bin/doctor").returncode == 0


def test_too_little_disk(machine, docker):
    with_limits(machine, **{"FIRST_DISK_GB, DISK_GB": "10**6, 0"})
    docker(base="")
    assert "1000000 GB are needed" in lacks(machine)
    docker(base="abc")  # what is built needs no room any more
    assert machine.run("bin/doctor").returncode == 0


def test_too_little_memory(machine, docker):
    with_limits(machine, MEMORY_GB=10**6)
    assert "1000000 GB are needed" in lacks(machine)
    docker(holds="*", folder=machine.project)  # what runs has its memory
    assert machine.run("bin/doctor").returncode == 0


def test_no_venv(machine, docker, tmp_path):
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    assert "apt-get install python3-venv" in lacks(machine, "--venv", PYTHONPATH=str(tmp_path))


def test_a_taken_port(machine, docker, taken):
    assert f"port {taken} is taken: choose another" in lacks(machine, "--port", PORT=taken)


def test_a_port_taken_by_another_container(machine, docker, taken):
    docker(holds="*publish=*", folder="/elsewhere")
    assert f"port {taken} is taken by the container other-nginx-1" in lacks(machine, "--port", PORT=taken)


def test_a_port_taken_by_the_project_itself(machine, docker, taken):
    docker(holds="*publish=*", folder=machine.project)
    assert machine.run("bin/doctor", "--port", PORT=taken).returncode == 0


def test_a_port_taken_by_the_named_project(machine, docker, taken):
    docker(holds="*publish=*", folder=machine.project / "demo")
    assert machine.run("bin/doctor", "--port", str(machine.project / "demo"), PORT=taken).returncode == 0


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_no_port(machine, docker, port):
    assert f"PORT is {port!r}" in lacks(machine, "--port", PORT=port)


def test_no_address(machine, docker, free):
    assert "BIND is '203.0.113.1'" in lacks(machine, "--port", PORT=free, BIND="203.0.113.1")


def test_another_project_of_the_name(machine, docker, free):
    (machine.project / "compose.yaml").write_text("name: shop\n")
    docker(holds="*project=shop*", folder="/elsewhere")
    assert "another shop runs from /elsewhere" in lacks(machine, "--port", PORT=free)
    assert machine.run("bin/doctor", "--port", PORT=free, COMPOSE_PROJECT_NAME="mine").returncode == 0


def test_all_that_is_lacking_is_said_at_once(machine, docker, taken, tmp_path):
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    docker(info="exit 1")
    done = machine.run("bin/doctor", "--venv", "--port", PORT=taken, PYTHONPATH=str(tmp_path))
    assert len(done.stderr.splitlines()) == 3
