"""What Docker was told: confinement, networks, limits, and no secret where it can be read."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import stack

Box = dict[str, Any]
ONE_SHOT = {"migrate"}


@pytest.fixture(scope="module")
def boxes() -> list[Box]:
    boxes = stack.containers(stopped=True)
    assert len({stack.service_of(box) for box in boxes}) >= 9
    return boxes


def is_unprivileged(box: Box) -> bool:
    return box["Config"]["User"].split(":")[0] not in ("", "0", "root")


def has_read_only_root(box: Box) -> bool:
    return bool(box["HostConfig"]["ReadonlyRootfs"])


def has_no_capabilities(box: Box) -> bool:
    host = box["HostConfig"]
    return host["CapDrop"] == ["ALL"] and not host["CapAdd"] and not host["Privileged"]


def gains_no_privileges(box: Box) -> bool:
    return any(option.startswith("no-new-privileges") for option in box["HostConfig"]["SecurityOpt"] or [])


def has_bounded_memory(box: Box) -> bool:
    return 0 < box["HostConfig"]["Memory"] <= 2 << 30


def has_bounded_processes(box: Box) -> bool:
    return 0 < (box["HostConfig"]["PidsLimit"] or 0) <= 1024


def has_bounded_logs(box: Box) -> bool:
    log = box["HostConfig"]["LogConfig"]
    return log["Type"] == "local" or {"max-size", "max-file"} <= log["Config"].keys()


def mounts_no_docker_socket(box: Box) -> bool:
    return not any("docker.sock" in mount["Source"] for mount in box["Mounts"])


def is_restarted(box: Box) -> bool:
    policy = box["HostConfig"]["RestartPolicy"]["Name"]
    return policy in ("unless-stopped", "always") if stack.service_of(box) not in ONE_SHOT else policy != "always"


def has_healthcheck(box: Box) -> bool:
    return stack.service_of(box) in ONE_SHOT or bool(box["Config"].get("Healthcheck", {}).get("Test"))


@pytest.mark.parametrize(
    "rule",
    [
        is_unprivileged, has_read_only_root, has_no_capabilities, gains_no_privileges, has_bounded_memory,
        has_bounded_processes, has_bounded_logs, mounts_no_docker_socket, is_restarted, has_healthcheck,
    ],
)  # fmt: skip
def test_every_container(boxes: list[Box], rule: Callable[[Box], bool]) -> None:
    assert [stack.service_of(box) for box in boxes if not rule(box)] == []


def test_no_process_is_root(boxes: list[Box]) -> None:
    """What runs, and not only what was asked for."""
    running = [box for box in boxes if box["State"]["Running"]]
    uids = {stack.service_of(box): stack.docker("top", box["Id"], "-eo", "uid,pid").split()[2::2] for box in running}
    assert [service for service, found in uids.items() if "0" in found] == []


def test_all_is_healthy(boxes: list[Box]) -> None:
    """Replicas too; a one-shot is done."""
    for box in boxes:
        service, state = stack.service_of(box), box["State"]
        if service in ONE_SHOT:
            assert (state["Status"], state["ExitCode"]) == ("exited", 0), service
        else:
            assert state["Health"]["Status"] == "healthy", service


def test_only_nginx_is_published(boxes: list[Box]) -> None:
    ports = {
        stack.service_of(box): [address["HostIp"] for published in box["NetworkSettings"]["Ports"].values()
                                for address in published or []]
        for box in boxes
    }  # fmt: skip
    published = {service: addresses for service, addresses in ports.items() if addresses}
    assert published.keys() == {"nginx"}
    assert set(published["nginx"]) == {"127.0.0.1"}, "without BIND the stack is for this machine only"


def test_networks(boxes: list[Box]) -> None:
    """The data network leads nowhere else, and who serves strangers is not on it."""
    assert json.loads(stack.docker("network", "inspect", f"{stack.PROJECT}_data"))[0]["Internal"]
    networks = {stack.service_of(box): stack.networks_of(box) for box in boxes}
    assert networks["nginx"] == {"edge"}
    for service in ("postgres", "pgbouncer", "redis-cache", "redis-queue", "migrate", "beat"):
        assert networks[service] == {"data"}, service
    assert networks["web"] == {"edge", "data", "egress"}
    assert networks["worker"] == {"data", "egress"}


def secrets() -> dict[str, str]:
    """The values that nobody may see; a key's id is told by every signed address."""
    found = {path.name: path.read_text() for path in (stack.ROOT / "secrets").iterdir() if path.is_file()}
    return {name: value for name, value in found.items() if value and name != "s3_access_key_id"}


def test_secret_files() -> None:
    folder = stack.ROOT / "secrets"
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir() if path.is_file()} == {"0o644"}
    assert all(len(value) >= 20 for value in secrets().values())


def leaks(text: str) -> list[str]:
    return [name for name, value in secrets().items() if value in text]


def test_docker_shows_no_secret(boxes: list[Box]) -> None:
    for box in boxes:
        service, image = stack.service_of(box), box["Image"]
        assert leaks(json.dumps(box)) == [], f"docker inspect of {service}"
        assert leaks(stack.docker("image", "inspect", image)) == [], f"image of {service}"
        assert leaks(stack.docker("history", "--no-trunc", image)) == [], f"image history of {service}"


def test_logs_and_command_lines_show_no_secret(boxes: list[Box]) -> None:
    assert leaks(stack.compose("logs", "--no-color")) == []
    for box in boxes:
        if box["State"]["Running"]:
            assert leaks(stack.docker("top", box["Id"], "-eo", "pid,args")) == [], stack.service_of(box)


def test_images_hold_no_secret() -> None:
    """Nor the files that a careless build context brings along."""
    assert stack.compose("exec", "-T", "web", "sh", "-c", "ls -d secrets .env .git .tools 2>/dev/null || true") == ""
    patterns = "\n".join(secrets().values())
    found = stack.compose("exec", "-T", "web", "sh", "-c", "grep -rlF -f - /app || true", stdin=patterns)
    assert found == ""
