"""base/build: one image for a set of inputs; a clear line where it cannot be made."""

import pytest

# Remembers what it imported, with the labels, as `docker image inspect` shows them (more than a pipe holds at once).
DOCKER = """
echo "$*" >> "$HOME/asked"
case "$1 $2" in
    "image inspect") [ "$3" = "rivet-base:${DEBIAN_SUITE:-trixie}" ] && cat "$HOME/image" 2>/dev/null \\
            && exec awk 'BEGIN { while (i++ < 20000) print "layer" }' ;;
    "pull "*) PULL ;;
    "create "*) echo 1234 ;;
    "import -") cat > /dev/null; echo 5678 ;;
    "import "*) cat > /dev/null; echo "$*" > "$HOME/image" ;;
esac
"""


@pytest.fixture
def base(machine, tmp_path):
    machine.fake("docker", DOCKER.replace("PULL", "true"))
    (machine.project / "certificates").mkdir()

    def build(*words, **environment):
        """Run it, and return what Docker was asked for."""
        (tmp_path / "asked").write_text("")
        machine.built = machine.run("base/build", *words, **environment)
        return (tmp_path / "asked").read_text().splitlines()

    return build


def made(asked):
    return any(line.startswith("import") for line in asked)


def test_made_once(base):
    assert made(base())
    assert not made(base())
    assert made(base("--fresh"))


def test_a_new_certificate_makes_it_anew(base, machine):
    base()
    (machine.project / "certificates/company.crt").write_text("PEM")
    assert made(base())
    assert not made(base())


def test_a_changed_script_makes_it_anew(base, machine):
    base()
    with (machine.project / "base/finish").open("a") as script:
        script.write("# changed\n")
    assert made(base())


def test_the_suite_is_a_setting(base, machine):
    (machine.project / ".env").write_text("DEBIAN_SUITE=forky\n")
    asked = base()
    assert "pull debian:forky-slim" in asked
    assert any(line.startswith("import") and line.endswith(" rivet-base:forky") for line in asked)


def test_nothing_is_left_over(base):
    assert "rm -f 1234" in base()


def test_neither_registry_nor_debian_is_one_line(base, machine, tmp_path):
    machine.fake("docker", DOCKER.replace("PULL", "exit 1"))
    base()
    assert machine.built.returncode == 1
    (reason,) = [line for line in machine.built.stderr.splitlines() if "docker load" in line]
    assert reason.startswith("base: ")
    assert not (tmp_path / "image").exists()
