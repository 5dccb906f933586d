"""The commands that only look: config check, version, channels, self-test, update."""

from pathlib import Path

import pytest

from collegium_connect import SOFTWARE
from collegium_connect.cli import main
from collegium_testkit.fake_server import FakeServer


@pytest.fixture
def config(tmp_path: Path, server: FakeServer) -> Path:
    path = tmp_path / "connect.toml"
    path.write_text(
        f'[gateway]\nname = "Larkspur General"\ndata_dir = "{tmp_path / "data"}"\n[server]\nurl = "{server.url}"\n',
        encoding="utf-8",
    )
    return path


def test_a_configuration_is_checked_and_nothing_is_made(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["config", "check", "--config", str(config)])

    assert code == 0
    assert "Nobody may send" in capsys.readouterr().out
    assert not (tmp_path / "data").exists()


def test_a_misspelt_key_is_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text("utf-8") + "[recieve]\n", "utf-8")

    code = main(["config", "check", "--config", str(config)])

    assert code == 1
    assert "recieve is not a setting" in capsys.readouterr().err


def test_the_version_is_told_without_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["version"])

    assert code == 0
    assert capsys.readouterr().out.startswith(SOFTWARE)


def test_channels_are_listed_with_what_they_hold(
    config: Path, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    before = main(["channels", "--config", str(config)])
    main(["enrol", "--code", server.code, "--config", str(config)])

    after = main(["channels", "--config", str(config)])

    printed = capsys.readouterr().out
    assert (before, after) == (0, 0)
    assert "No channel yet" in printed
    assert "TRIAL1           open      Project of ch-1, Larkspur General" in printed


@pytest.mark.requirement("C23")
def test_a_version_tests_itself(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = main(["self-test", "--config", str(config)])
    other = main(["self-test", "--config", str(config), "--expect", "99.0.0"])

    printed = capsys.readouterr()
    assert (good, other) == (0, 1)
    assert "cleaned, looked at and searched" in printed.out
    assert "connect.self_test.failed" in printed.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("act", ["check", "install"])
def test_without_a_repository_an_update_says_so(
    act: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["update", act, "--config", str(config)])

    assert code == 1
    assert "connect.update.off" in capsys.readouterr().err
