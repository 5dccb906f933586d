"""What a browser sends to the local page: bounded, never on the disk in clear, and no odd number is an error."""

import re
import tempfile
from collections.abc import Callable, Iterator

import httpx
import pytest

from collegium_connect.actor import CONSOLE, Role
from collegium_connect.clock import now
from collegium_connect.folders import journal_path
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.people import People
from collegium_connect.people.passwords import Cost
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_connect.trail import Trail
from collegium_testkit.patience import PATIENCE_S

PASSWORD = "a password of this site"


@pytest.fixture
def administrator(gateway: Gateway, settings: Settings) -> Iterator[Callable[..., httpx.Response]]:
    """Sends a form as a signed-in administrator."""
    journal = Journal(journal_path(settings))
    trail = Trail(journal, load_secrets(KeyFolder(settings.gateway.data_dir / "keys")), now)
    People(journal, trail, now, Cost(16, 8, 1)).add(CONSOLE, "Ada", Role.ADMINISTRATOR, PASSWORD)
    journal.close()
    with httpx.Client(
        base_url=f"http://127.0.0.1:{gateway.local_port}",
        follow_redirects=True,
        trust_env=False,
        timeout=PATIENCE_S,
    ) as http:
        page = http.post("/sign-in", data={"name": "Ada", "password": PASSWORD, "next": "/"}).text
        token = re.findall(r'name="form_token" value="([^"]+)"', page)[0]

        def send(path: str, method: str = "POST", **content: dict[str, object]) -> httpx.Response:
            if method == "GET":
                return http.get(path)
            data = {"form_token": token, **content.pop("data", {})}
            return http.post(path, data=data, **content)  # type: ignore[arg-type]  # as httpx takes them

        yield send


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was written to a temporary file."""
    written: list[object] = []
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", written.append)
    return written


@pytest.mark.requirement("C20")
def test_a_large_file_of_a_dry_run_never_touches_the_disk(
    administrator: Callable[..., httpx.Response], on_disk: list[object]
) -> None:
    content = b"Brambleworth^Leopoldine" * 100_000

    answer = administrator("/dry-run", data={"channel_id": "ch-1"}, files={"file": ("one.dcm", content)})

    assert answer.status_code == 200
    assert on_disk == []


def test_a_large_list_of_links_never_touches_the_disk(
    administrator: Callable[..., httpx.Response], on_disk: list[object]
) -> None:
    rows = "".join(f"MRN-{number:09},LG-{number:09}\n" for number in range(60_000))

    answer = administrator("/links/1/import", files={"list": ("list.csv", f"local_id,subject\n{rows}X")})

    assert 'role="alert"' in answer.text
    assert on_disk == []


@pytest.mark.parametrize("path", ["/log/verify", "/links/1/find"])
def test_a_form_beyond_all_measure_is_not_read_to_its_end(
    administrator: Callable[..., httpx.Response], path: str
) -> None:
    answer = administrator(path, data={"local_id": "x" * 500_000})

    assert answer.status_code == 413
    assert "larger than this page takes" in answer.text


def test_a_stranger_cannot_fill_the_memory_at_the_sign_in(gateway: Gateway) -> None:
    address = f"http://127.0.0.1:{gateway.local_port}/sign-in"

    answer = httpx.post(
        address, files={"name": ("name", b"x" * 500_000)}, trust_env=False, timeout=PATIENCE_S
    )

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/log?before=" + "9" * 5000), ("GET", f"/links/{10**30}"), ("POST", f"/links/{10**30}/find")],
)
def test_a_number_beyond_all_measure_is_no_fault(
    administrator: Callable[..., httpx.Response], method: str, path: str
) -> None:
    assert administrator(path, method).status_code == 200
