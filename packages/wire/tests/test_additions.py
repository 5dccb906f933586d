"""What a later protocol added: told to whoever knows it, unknown to nobody who does not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from collegium_wire import (
    MOST_UNMET,
    NEWEST,
    PROTOCOL,
    AcquisitionRequirement,
    AcquisitionRequirements,
    ChannelSetup,
    DeidSummary,
    HeartbeatAnswer,
    Manifest,
    ManifestObject,
    Unmet,
    WireError,
)

RECIPE = "name: trial\n"
PLAIN = ChannelSetup(
    channel_id="c1",
    name="CT room",
    called_ae="COLLEGIUM",
    project_name="Demo",
    site_name="North",
    site_code="N1",
    recipe_yaml=RECIPE,
    recipe_digest=hashlib.sha256(RECIPE.encode()).hexdigest(),
    quiet_time_s=60,
)
MANIFEST = Manifest(
    protocol=PROTOCOL, delivery_id="0190f3c2-7c0e-7abc-8def-0123456789ab", study_uid="2.25.3",
    subject_code="S-001", supplement=False, channel_id="c1", recipe_name="trial", recipe_version="1",
    recipe_digest="0" * 64, software="connect 0.1.0", received_at=datetime(2026, 2, 3, tzinfo=UTC),
    objects=(
        ManifestObject(
            sop_instance_uid="2.25.1", sop_class_uid="2.25.9", transfer_syntax_uid="2.25.9", series_uid="2.25.2",
            size_bytes=12, sha256="0" * 64,
        ),
    ),
    report=DeidSummary(counts={}, seconds=0.5),
)  # fmt: skip
CHEST = AcquisitionRequirement(
    visit="V1", modality="CT", body_part="CHEST", images=200, series=1, slice_thickness_mm=5.0,
    slice_spacing_mm=2.5, contrast=True,
)  # fmt: skip
ASKING = replace(
    PLAIN,
    requirements=AcquisitionRequirements(items=(CHEST,), takes_others=False),
    when_unmet=Unmet.HOLD,
)
FIRST_FIELDS = {
    "channel_id", "name", "called_ae", "project_name", "site_name", "site_code", "recipe_yaml", "recipe_digest",
    "quiet_time_s", "allocation", "storage_classes", "send_window", "max_mbps", "compress", "storage_commitment",
    "retention_days", "attempts_limit",
}  # fmt: skip
"""Of a channel as protocol 1 knows it."""


def test_a_channel_with_requirements_comes_back_from_json() -> None:
    assert ChannelSetup.from_json(ASKING.to_json()) == ASKING


def test_a_channel_that_asks_for_nothing_is_written_as_it_always_was() -> None:
    assert set(json.loads(PLAIN.to_json())) == FIRST_FIELDS
    assert ChannelSetup.from_json(PLAIN.to_json()) == PLAIN


def test_whoever_speaks_the_first_protocol_is_told_what_it_knows() -> None:
    answer = HeartbeatAnswer(protocol=PROTOCOL, channels=(ASKING,), pinned_software="1.2.3")

    assert answer.as_of(PROTOCOL) == HeartbeatAnswer(protocol=PROTOCOL, channels=(PLAIN,))
    assert answer.as_of(NEWEST) == answer


def test_requirements_change_the_digest_of_a_channel() -> None:
    assert ASKING.digest() != PLAIN.digest()


@pytest.mark.parametrize(
    "wrong",
    [
        {"modality": "SR"}, {"modality": "ct"}, {"body_part": "Mrs Smith"}, {"images": -1}, {"visit": " "},
        {"slice_thickness_mm": -0.5},
    ],
)  # fmt: skip
def test_a_requirement_out_of_form_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(WireError) as error:
        replace(CHEST, **wrong)

    assert error.value.code == "wire.field.value"


def test_a_pinned_version_is_one() -> None:
    with pytest.raises(WireError):
        HeartbeatAnswer(protocol=NEWEST, channels=(), pinned_software="newest")


def test_a_manifest_carries_what_is_unmet_and_is_otherwise_as_it_was() -> None:
    said = replace(MANIFEST, protocol=NEWEST, unmet=("CT: 200 images are needed, 3 were found.",))

    assert Manifest.from_json(said.to_json()) == said
    assert b"unmet" not in MANIFEST.to_json()
    with pytest.raises(WireError):
        replace(MANIFEST, unmet=said.unmet * (MOST_UNMET + 1))


def test_a_manifest_says_that_everything_is_met_or_what_is_not() -> None:
    said = replace(MANIFEST, protocol=NEWEST, met=True)

    assert Manifest.from_json(said.to_json()) == said
    assert b"met" not in MANIFEST.to_json()
    with pytest.raises(WireError):
        replace(said, unmet=("CT: 200 images are needed, 3 were found.",))


def test_a_manifest_says_that_it_is_a_test_only_to_who_knows_it() -> None:
    said = replace(MANIFEST, protocol=NEWEST, is_test=True)

    assert Manifest.from_json(said.to_json()) == said
    assert b"is_test" not in MANIFEST.to_json()
    with pytest.raises(WireError):
        replace(MANIFEST, is_test=True)


@pytest.mark.parametrize("wrong", [{"supplement": True}, {"objects": ()}])
def test_a_test_is_one_object(wrong: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        replace(MANIFEST, protocol=NEWEST, is_test=True, **wrong)


def test_a_channel_that_sends_what_is_selected_says_so_in_the_newest_protocol() -> None:
    said = replace(PLAIN, selected_only=True)

    assert ChannelSetup.from_json(said.to_json()) == said
    assert said.as_of(PROTOCOL) == PLAIN
