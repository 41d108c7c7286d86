"""A running service for the rings that look at it from outside; a failed test shows the end of its log."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from outside import ports
from outside.phone import Phone
from outside.service import FLOWS, ROOT, Service

LINES_SHOWN = 80
CORPORA = ROOT.parent / "shared" / "corpora"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the recorded conversations be rewritten after a wanted change; the diff is then what is reviewed."""
    parser.addoption("--rewrite-vectors", action="store_true", help="rewrite the conversations in tests/vectors/flow")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`serve` on the quick flow, shared by the tests that leave it as they found it."""
    yield from _running(Service(tmp_path_factory.mktemp("service"), sip_trunks="127.0.0.0/16"))


@pytest.fixture(scope="session")
def confirming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`serve` on a flow that says the answer back and offers a change; it listens on IPv6."""
    if not ports.has_ipv6():
        pytest.skip("this machine has no IPv6, not even on loopback")
    yield from _running(Service(tmp_path_factory.mktemp("confirming"), host="::1", flow=FLOWS / "confirmed.yaml"))


@pytest.fixture(scope="session")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`serve` as it is shipped: the real flow with the real prompts."""
    shipped = {"flow": ROOT / "callflows" / "post_call_survey.yaml", "prompts": ROOT / "prompts"}
    yield from _running(Service(tmp_path_factory.mktemp("survey"), media_timeout_seconds=20, **shipped))


def _running(made: Service) -> Iterator[Service]:
    try:
        yield made.start()
        assert made.stop() == 0, f"it did not stop cleanly:\n{made.text()}"
        assert made.processes() == [], "processes are left running"
        assert "Traceback" not in made.text(), made.text()
    finally:
        made.kill()


class Launch:
    """Makes services for one test, which may break them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[Service] = []

    def __call__(self, command: str = "serve", **settings: object) -> Service:
        """A started service in a folder of its own."""
        return self.prepare(command, **settings).start()

    def prepare(self, command: str = "serve", **settings: object) -> Service:
        """A service that the test itself starts."""
        folder = self.folder / f"service{len(self.made)}"
        folder.mkdir()
        self.made.append(Service(folder, command, **settings))  # type: ignore[arg-type]
        return self.made[-1]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start services of this test's own; what still runs at its end must stop cleanly."""
    launching = Launch(tmp_path)
    try:
        yield launching
        for made in launching.made:
            if made.running:
                assert made.stop() == 0, made.text()
                assert made.processes() == [], "processes are left running"
    finally:
        for made in launching.made:
            made.kill()


@pytest.fixture
def pick_up(request: pytest.FixtureRequest) -> Callable[..., Phone]:
    """Phones that are put away at the test's end."""

    def new(service: Service, transport: str = "udp", **options: Any) -> Phone:
        made = Phone(service, transport, **options)
        request.addfinalizer(made.close)
        return made

    return new


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The shared corpora; skips where the project stands alone."""
    if not CORPORA.is_dir():
        pytest.skip(f"the shared corpora are not at {CORPORA}")
    return CORPORA


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Put the logs of the services a failed test used into its report."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            for used in getattr(value, "made", [value]):
                if isinstance(used, Service):
                    report.sections.append((f"log of {used.folder.name}", _end_of(used.text())))
    return report


def _end_of(text: str) -> str:
    return "\n".join(text.splitlines()[-LINES_SHOWN:])
