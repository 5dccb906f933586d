"""The command line: files, folders and archives, reasons, exit codes, keys, subjects."""

from __future__ import annotations

import json
import os
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread

from collegium_deid.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def exam(tmp_path: Path, ct: Dataset, write: Tool) -> Path:
    """A folder of two slices, a broken file and a text file."""
    folder = tmp_path / "Brambleworth Leopoldine"
    (folder / "sub").mkdir(parents=True)
    (folder / "1.dcm").write_bytes(write(ct, pixels=b"\1\2\3\4\5\6\7\x08"))
    ct.SOPInstanceUID, ct.InstanceNumber = "1.2.3.4.5.8", "18"
    (folder / "sub" / "2").write_bytes(write(ct, pixels=bytes(70_000)))
    (folder / "broken.dcm").write_bytes(write(ct, pixels=bytes(8))[:-6])
    (folder / "note.txt").write_text("Brambleworth")
    return folder


@pytest.fixture
def key(tmp_path: Path) -> str:
    path = tmp_path / "site.key"
    path.write_text("11" * 32)
    return str(path)


def images(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*.dcm"))}


def test_a_folder_is_cleaned_and_one_bad_file_never_stops_the_rest(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    out = tmp_path / "out"

    code = main(["apply", "--key", key, "--subject", "S-001", str(exam), str(out)])

    files = sorted(out.rglob("*.dcm"))
    printed = capsys.readouterr()
    assert code == 1
    assert "2 cleaned, 1 skipped, 1 rejected" in printed.out
    assert re.search(r"rejected .*broken.dcm: .*\[deid.truncated\]", printed.err)
    assert re.search(r"skipped .*note.txt: Not a DICOM file. \[deid.skip.not_dicom\]", printed.err)
    assert {dcmread(file).PatientID for file in files} == {"S-001"}
    assert {bytes(dcmread(file).PixelData) for file in files} == {b"\1\2\3\4\5\6\7\x08", bytes(70_000)}


@pytest.mark.requirement("C21")
def test_nothing_in_the_output_folder_names_the_patient(tmp_path: Path, exam: Path, key: str) -> None:
    out = tmp_path / "out"

    main(["apply", "--key", key, "--subject", "S-001", str(exam), str(out)])

    everything = [
        file.relative_to(out).as_posix().encode() + file.read_bytes()
        for file in out.rglob("*")
        if file.is_file()
    ]
    assert len(everything) == 4
    assert not re.search(rb"(?i)bramble|leopold|4471123|778812|quill|1\.2\.3\.4", b"".join(everything))


def test_strict_rejects_what_is_no_image(tmp_path: Path, exam: Path, key: str, capsys: Printed) -> None:
    code = main(
        ["apply", "--strict", "--key", key, "--subject", "S-001", str(exam / "note.txt"), str(tmp_path / "o")]
    )

    assert code == 1
    assert "0 cleaned, 1 rejected" in capsys.readouterr().out


def test_a_directory_of_a_medium_is_skipped_with_its_reason(
    tmp_path: Path, ct: Dataset, write: Tool, key: str, capsys: Printed
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "IM0001").write_bytes(write(ct, pixels=bytes(8)))
    ct.SOPClassUID = "1.2.840.10008.1.3.10"
    (tmp_path / "in" / "DICOMDIR").write_bytes(write(ct))

    code = main(["apply", "--key", key, "--subject", "S", str(tmp_path / "in"), str(tmp_path / "out")])

    assert code == 0
    assert "[deid.skip.dicomdir]" in capsys.readouterr().err


def test_a_data_set_without_its_preamble_is_rejected_not_skipped(
    tmp_path: Path, ct: Dataset, write: Tool, key: str, capsys: Printed
) -> None:
    whole = write(ct, pixels=bytes(8))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bare").write_bytes(whole[whole.index(b"\x08\0\x08\0CS") :])

    code = main(["apply", "--key", key, "--subject", "S", str(tmp_path / "in"), str(tmp_path / "out")])

    assert code == 1
    assert "[deid.not_part10]" in capsys.readouterr().err


def test_the_summary_can_be_json_and_nothing_else(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    main(["apply", "--json", "--quiet", "--key", key, "--subject", "S-001", str(exam), str(tmp_path / "out")])

    summary = json.loads(capsys.readouterr().out)
    assert summary["cleaned"] == 2
    assert [problem["code"] for problem in summary["rejected"]] == ["deid.truncated"]
    assert [problem["code"] for problem in summary["skipped"]] == ["deid.skip.not_dicom"]
    assert summary["recipe"]["name"] == "trial"


@pytest.mark.requirement("C21")
def test_each_exam_has_a_report_without_identifiers(tmp_path: Path, exam: Path, key: str) -> None:
    main(["apply", "--key", key, "--subject", "S-001", str(exam), str(tmp_path / "out")])

    reports = list((tmp_path / "out" / "reports").iterdir())
    report = json.loads(reports[0].read_text())
    assert [file.stem for file in reports] == [report["study_uid"]]
    assert (report["instances"], report["series"], report["subjects"]) == (2, 1, ["S-001"])
    assert report["attributes"]["U"] >= 6
    assert report["verified_against_input"] is True
    assert report["pixels"] == {"no_text": 2}


def test_an_archive_goes_in_and_an_archive_comes_out(tmp_path: Path, exam: Path, key: str) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(exam.rglob("*")):
            archive.write(file, file.relative_to(exam))
    arguments = ["apply", "--key", key, "--subject", "S-001"]

    first = main([*arguments, str(tmp_path / "in.zip"), str(tmp_path / "out.zip")])
    second = main([*arguments, str(exam), str(tmp_path / "out")])

    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if name.endswith(".dcm")}
    assert (first, second) == (1, 1)
    assert packed == images(tmp_path / "out")
    assert len(packed) == 2
    assert not (tmp_path / "out.zip.part").exists()


def test_an_object_that_came_twice_counts_once_in_the_report(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    (exam / "again.dcm").write_bytes((exam / "1.dcm").read_bytes())

    main(["apply", "--key", key, "--subject", "S", str(exam), str(tmp_path / "out")])

    report = json.loads(next((tmp_path / "out" / "reports").iterdir()).read_text())
    assert "2 cleaned, 1 done already" in capsys.readouterr().out
    assert report["instances"] == len(images(tmp_path / "out")) == 2
    assert report["pixels"] == {"no_text": 2}


@pytest.mark.parametrize("name", ["../1.dcm", "/tmp/1.dcm", "a/../../1.dcm", "C:\\1.dcm", "..\\1.dcm"])
def test_a_member_whose_name_leads_out_of_its_archive_is_rejected(
    tmp_path: Path, exam: Path, key: str, name: str, capsys: Printed
) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr(name, (exam / "1.dcm").read_bytes())

    code = main(["apply", "--key", key, "--subject", "S", str(tmp_path / "in.zip"), str(tmp_path / "out")])

    assert code == 1
    assert "[deid.zip.path]" in capsys.readouterr().err


def test_a_link_inside_an_archive_is_rejected(tmp_path: Path, key: str, capsys: Printed) -> None:
    info = zipfile.ZipInfo("1.dcm")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")

    code = main(["apply", "--key", key, "--subject", "S", str(tmp_path / "in.zip"), str(tmp_path / "out")])

    assert code == 1
    assert "[deid.zip.link]" in capsys.readouterr().err


def test_an_archive_that_would_unpack_beyond_all_measure_is_refused(
    tmp_path: Path, key: str, capsys: Printed
) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.dcm", bytes(1000))
    data = (tmp_path / "in.zip").read_bytes()
    at = data.index(b"PK\1\2") + 24
    (tmp_path / "in.zip").write_bytes(data[:at] + (0xFFFFFFF0).to_bytes(4, "little") + data[at + 4 :])

    code = main(["apply", "--key", key, "--subject", "S", str(tmp_path / "in.zip"), str(tmp_path / "out")])

    assert code == 2
    assert "[deid.zip.bomb]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_damaged_member_is_rejected_and_the_rest_goes_on(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(exam / "1.dcm", "1.dcm")
        archive.write(exam / "sub" / "2", "2.dcm")
    data = bytearray((tmp_path / "in.zip").read_bytes())
    data[data.index(b"\1\2\3\4\5\6\7\x08")] ^= 1
    (tmp_path / "in.zip").write_bytes(data)

    code = main(["apply", "--key", key, "--subject", "S", str(tmp_path / "in.zip"), str(tmp_path / "out")])

    assert code == 1
    assert "[deid.zip.unreadable]" in capsys.readouterr().err
    assert len(images(tmp_path / "out")) == 1


def test_a_member_that_cannot_be_unpacked_is_left_out_of_the_originals(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    main(["apply", "--key", key, "--subject", "S", str(exam / "1.dcm"), f"{tmp_path / 'out'}/"])
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(exam / "1.dcm", "1.dcm")
        archive.write(exam / "sub" / "2", "2.dcm")
        damaged = archive.getinfo("2.dcm").header_offset + 60
    data = bytearray((tmp_path / "in.zip").read_bytes())
    data[damaged : damaged + 64] = b"\xff" * 64
    (tmp_path / "in.zip").write_bytes(data)

    code = main(["verify", "--against", str(tmp_path / "in.zip"), "--key", key, str(tmp_path / "out")])

    assert code == 0
    assert "1 conform, 0 do not" in capsys.readouterr().out


def test_cleaned_files_verify(tmp_path: Path, exam: Path, key: str) -> None:
    out = tmp_path / "out"
    main(["apply", "--key", key, "--subject", "S-001", str(exam), str(out)])

    assert main(["verify", str(out)]) == 0
    assert main(["verify", "--against", str(exam / "1.dcm"), str(out)]) == 0
    assert main(["verify", "--against", str(exam), str(out)]) == 0
    assert main(["verify", "--against", str(exam), "--key", key, str(out)]) == 0


def test_originals_are_found_by_their_own_uids_where_a_recipe_keeps_them(
    tmp_path: Path, exam: Path, key: str
) -> None:
    recipe = ["--recipe", str(tmp_path / "kept.yaml")]
    (tmp_path / "kept.yaml").write_text(
        'recipe: kept\nversion: "1"\nprofile: basic\noptions: [retain_uids]\nobjects: [CT Image]\n'
    )
    main(["apply", *recipe, "--key", key, "--subject", "S-001", str(exam), str(tmp_path / "out")])

    assert main(["verify", *recipe, "--against", str(exam), "--key", key, str(tmp_path / "out")]) == 0


def test_a_file_whose_original_is_not_among_the_originals_does_not_verify(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    out = tmp_path / "out"
    main(["apply", "--key", key, "--subject", "S-001", str(exam), str(out)])

    code = main(["verify", "--against", str(exam / "1.dcm"), "--key", key, str(out)])

    assert code == 1
    assert "1 conform, 1 do not" in capsys.readouterr().out


def test_what_lies_behind_the_pixels_is_looked_at_too(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    out = tmp_path / "one.dcm"
    main(["apply", "--key", key, "--subject", "S-001", str(exam / "sub" / "2"), str(out)])
    out.write_bytes(out.read_bytes() + b"\xfc\xff\xfc\xffOB\0\0\x0c\0\0\0Brambleworth")

    code = main(["verify", "--against", str(exam / "1.dcm"), str(out)])

    assert code == 1
    assert "(FFFC,FFFC)" in capsys.readouterr().err


def test_originals_do_not_verify(exam: Path, capsys: Printed) -> None:
    assert main(["verify", "--json", "--against", str(exam / "1.dcm"), str(exam)]) == 1

    printed = capsys.readouterr()
    problems = json.loads(printed.out)["problems"][str(exam / "1.dcm")]
    assert problems[0].endswith("[deid.verify.identifier_left]")
    assert any(problem.startswith("(0010,1040) ") for problem in problems)
    assert "Brambleworth^" not in printed.out + printed.err


def test_verify_finds_a_file_that_lost_its_end(tmp_path: Path, exam: Path, key: str, capsys: Printed) -> None:
    out = tmp_path / "out.dcm"
    main(["apply", "--key", key, "--subject", "S-001", str(exam / "sub" / "2"), str(out)])
    os.truncate(out, out.stat().st_size - 1)

    code = main(["verify", str(out)])

    assert code == 1
    assert "is cut: the file ends within it. [deid.conformance.truncated]" in capsys.readouterr().err


def test_verify_says_shortly_that_files_are_of_another_recipe(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    main(["apply", "--key", key, "--subject", "S-001", str(exam), str(tmp_path / "out")])
    capsys.readouterr()

    code = main(["verify", "--recipe", "strict", str(tmp_path / "out")])

    told = capsys.readouterr().err.splitlines()
    assert code == 1
    assert len(told) == 2 * 4 + 1
    assert told[-1] == (
        "None of these says that strict 1 cleaned it. If another recipe did, give that with --recipe."
    )


def test_the_result_of_verifying_can_be_json(exam: Path, capsys: Printed) -> None:
    main(["verify", "--json", "--quiet", str(exam)])

    result = json.loads(capsys.readouterr().out)
    assert result["conform"] == 0
    assert len(result["problems"]) == 4


def test_one_file_goes_to_one_file(tmp_path: Path, exam: Path, key: str) -> None:
    out = tmp_path / "one.dcm"

    code = main(["apply", "--key", key, "--subject", "S-001", str(exam / "1.dcm"), str(out)])

    assert code == 0
    assert dcmread(out).PatientName == "S-001"
    assert not (tmp_path / "one.dcm.part").exists()


def test_an_output_is_never_overwritten(tmp_path: Path, exam: Path, key: str, capsys: Printed) -> None:
    out = tmp_path / "one.dcm"
    out.write_text("mine")

    code = main(["apply", "--key", key, "--subject", "S-001", str(exam / "1.dcm"), str(out)])

    assert code == 2
    assert out.read_text() == "mine"
    assert "[deid.file.exists]" in capsys.readouterr().err


def test_of_two_inputs_with_one_uid_and_other_pixels_the_first_stays(
    tmp_path: Path, ct: Dataset, write: Tool, key: str, capsys: Printed
) -> None:
    (tmp_path / "in").mkdir()
    for name, pixels in (("a", bytes(8)), ("b", bytes(8)), ("c", b"\1" * 8)):
        (tmp_path / "in" / name).write_bytes(write(ct, pixels=pixels))

    code = main(["apply", "--key", key, "--subject", "S", str(tmp_path / "in"), str(tmp_path / "out")])

    printed = capsys.readouterr()
    assert code == 1
    assert "1 cleaned, 1 done already, 1 rejected" in printed.out
    assert "[deid.file.exists]" in printed.err
    assert [bytes(dcmread(file).PixelData) for file in (tmp_path / "out").rglob("*.dcm")] == [bytes(8)]


def test_a_new_key_is_made_for_its_owner_only_and_gives_the_same_again(tmp_path: Path, exam: Path) -> None:
    key = tmp_path / "new.key"
    arguments = ["--subject", "S-001", str(exam / "1.dcm")]

    first = main(["apply", "--new-key", str(key), *arguments, str(tmp_path / "a.dcm")])
    second = main(["apply", "--key", str(key), *arguments, str(tmp_path / "b.dcm")])

    assert (first, second) == (0, 0)
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()


def test_a_new_key_never_replaces_one_and_is_not_made_for_a_run_that_has_its_own(
    tmp_path: Path, exam: Path, capsys: Printed
) -> None:
    out, old, new = str(tmp_path / "out"), tmp_path / "old.key", tmp_path / "new.key"
    main(["apply", "--new-key", str(old), "--subject", "S", str(exam), out])
    secret = old.read_bytes()
    capsys.readouterr()

    again = main(["apply", "--new-key", str(old), "--subject", "S", str(exam), str(tmp_path / "else")])
    other = main(["apply", "--new-key", str(new), "--subject", "S", str(exam), out])

    told = capsys.readouterr().err
    assert (again, other) == (2, 2)
    assert "Use it with --key. [deid.key.exists]" in told
    assert "[deid.run.other]" in told
    assert old.read_bytes() == secret
    assert not new.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_key_that_others_can_read_is_warned_of(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    arguments = ["apply", "--key", key, "--subject", "S", str(exam / "1.dcm")]
    (tmp_path / "site.key").chmod(0o644)
    main([*arguments, str(tmp_path / "a.dcm")])
    open_ = capsys.readouterr().err
    (tmp_path / "site.key").chmod(0o600)

    main([*arguments, str(tmp_path / "b.dcm")])

    assert "Others can read the key file" in open_
    assert "Others can read" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        {"--recipe": "no-such"},
        {"--key": "/no/such/key"},
        {"--subject": "no/such^code"},
        {"in": "/no/such/folder"},
    ],
)
def test_wrong_use_does_nothing_and_exits_with_2(
    tmp_path: Path, exam: Path, key: str, change: dict[str, str]
) -> None:
    given = {"--recipe": "trial", "--key": key, "--subject": "S", "in": str(exam)} | change
    options = [part for name, value in given.items() if name != "in" for part in (name, value)]

    code = main(["apply", *options, given["in"], str(tmp_path / "out")])

    assert code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("key_at", "out", "quarantine"),
    [
        ("site.key", "Brambleworth Leopoldine/out", "q"),
        ("out/site.key", "out", "q"),
        ("site.key", "out", "out/q"),
    ],
)
def test_originals_keys_and_outputs_are_kept_apart(
    tmp_path: Path, exam: Path, key_at: str, out: str, quarantine: str
) -> None:
    code = main(
        [
            *("apply", "--new-key", str(tmp_path / key_at), "--subject", "S"),
            *("--quarantine", str(tmp_path / quarantine), str(exam), str(tmp_path / out)),
        ]
    )

    assert code == 2
    assert not (tmp_path / key_at).exists()


def test_a_broken_pixel_part_leaves_no_file_behind(tmp_path: Path, exam: Path, key: str) -> None:
    out = tmp_path / "out"
    out.mkdir()

    main(["apply", "--key", key, "--subject", "S", str(exam / "broken.dcm"), str(out)])

    assert [file.name for file in out.rglob("*") if file.is_file()] == ["journal.jsonl"]


def test_what_is_rejected_is_kept_for_its_owner_only(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    held = tmp_path / "held"

    main(
        ["apply", "--quarantine", str(held), "--key", key, "--subject", "S", str(exam), str(tmp_path / "out")]
    )

    copies = list(held.glob("*.dcm"))
    assert [copy.read_bytes() for copy in copies] == [(exam / "broken.dcm").read_bytes()]
    assert "deid.truncated" in (held / "refused.csv").read_text()
    assert {path.stat().st_mode & 0o777 for path in (held, *held.iterdir())} == {0o700, 0o600}
    assert "originals" in capsys.readouterr().err


def test_waiting_for_the_disk_changes_nothing_else(tmp_path: Path, exam: Path, key: str) -> None:
    main(["apply", "--key", key, "--subject", "S", str(exam), str(tmp_path / "out")])
    main(["apply", "--fsync", "--key", key, "--subject", "S", str(exam), str(tmp_path / "waited")])

    assert images(tmp_path / "out") == images(tmp_path / "waited")


def test_links_and_pipes_in_a_folder_are_not_followed(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.dcm").symlink_to(exam / "1.dcm")
    os.mkfifo(tmp_path / "in" / "pipe.dcm")

    code = main(["apply", "--key", key, "--subject", "S", str(tmp_path / "in"), str(tmp_path / "out")])

    assert code == 1
    assert capsys.readouterr().err.count("[deid.file.link]") == 2


def test_a_folder_others_can_read_never_becomes_the_quarantine(tmp_path: Path, exam: Path, key: str) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared" / "mine.txt").write_text("x")

    code = main(
        [
            "apply",
            "--quarantine",
            str(tmp_path / "shared"),
            "--key",
            key,
            "--subject",
            "S",
            str(exam),
            str(tmp_path / "o"),
        ]
    )

    assert code == 2
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755
    assert not (tmp_path / "o").exists()


def test_a_disk_that_cannot_be_written_is_told_without_a_traceback(
    tmp_path: Path, exam: Path, key: str, capsys: Printed
) -> None:
    (tmp_path / "file").write_text("x")

    code = main(["apply", "--key", key, "--subject", "S", str(exam), str(tmp_path / "file" / "out")])

    assert code == 1
    assert "stopped, Not a directory" in capsys.readouterr().err
