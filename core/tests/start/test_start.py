"""The page for newcomers, word for word: in a fresh folder, with the system's Python and the wheel of this source."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from page import STEPS, Step, Terminal

pytestmark = pytest.mark.timeout(900)  # seconds, where nothing has been built before


class Newcomer:
    """Who goes through the page: two terminals, and where the project is."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.first = Terminal(folder, **environment)
        self.second = Terminal(folder)
        self.terminal = self.first
        self.folder = folder
        self.output = ""

    def take(self, step: Step) -> None:
        if "In another terminal" in step.said:
            self.terminal = self.second
        if "Control-C" in step.said:
            self.first.interrupt()
            self.terminal = self.first
        if step.file:
            self.write(self.folder / "shop" / step.file, step.text, add="at the end" in step.said)
        elif step.language == "sh" and step.serves:
            self.terminal.type(step.text)
            self.terminal.wait("SIGTERM")
            self.output = "\n".join(line for line in self.terminal.output.splitlines() if line.startswith("Serving"))
        elif step.language == "sh":
            self.output = self.terminal.run(step.text)
        else:
            assert step.language == "", f"what is this block for? {step}"
            assert step.matches(self.output), self.output

    def write(self, path: Path, text: str, *, add: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.read_text() + text if add else text)


@pytest.fixture(scope="module")
def newcomer(distributions: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    folder = tmp_path_factory.mktemp("start")
    # So that `pip install django-rivet` takes this wheel, and no other wherever it may come from.
    (folder / "constraints.txt").write_text(f"django-rivet @ {distributions[1].as_uri()}\n")
    newcomer = Newcomer(folder, PIP_CONSTRAINT=str(folder / "constraints.txt"), PIP_CACHE_DIR="/cache/pip")
    yield newcomer
    newcomer.first.close()
    newcomer.second.close()


@pytest.mark.parametrize("step", STEPS, ids=[f"{step.file or step.text.split(chr(10))[0][:40]}" for step in STEPS])
def test_step(newcomer: Newcomer, step: Step, record_property: Callable[[str, object], None]) -> None:
    record_property("suite", "five-minute-start")
    newcomer.take(step)


def test_it_was_the_wheel(newcomer: Newcomer) -> None:
    """What ran is what was installed, and all that it needs came with it."""
    told = newcomer.first.run("pip check; python -c 'import django_rivet; print(django_rivet.__file__)'")
    assert "No broken requirements" in told
    assert f"{newcomer.folder}/.venv/lib/" in told
