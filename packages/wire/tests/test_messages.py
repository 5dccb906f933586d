"""Canonical bytes, strict reading, and the few rules the messages hold themselves."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collegium_wire import (
    NO_ENTRY,
    PROTOCOL,
    Alarm,
    Allocation,
    ChannelBeat,
    ChannelConfiguration,
    ChannelSetup,
    DeidSummary,
    EnrolmentAnswer,
    EnrolmentRequest,
    Heartbeat,
    HeartbeatAnswer,
    Manifest,
    ManifestObject,
    Message,
    Missing,
    ObjectsAnswer,
    Outcome,
    Problem,
    Receipt,
    ReceiptItem,
    RefusedObject,
    TrailEntry,
    WireError,
    delivery_state,
    paths,
    require_protocol,
)

AT = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
DELIVERY = "0190f3c2-7c0e-7abc-8def-0123456789ab"
SHA = hashlib.sha256(b"object").hexdigest()
RECIPE = "name: trial\n"

OBJECT = ManifestObject(
    sop_instance_uid="2.25.1",
    sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
    transfer_syntax_uid="1.2.840.10008.1.2.1",
    series_uid="2.25.2",
    size_bytes=12,
    sha256=SHA,
)
MANIFEST = Manifest(
    protocol=PROTOCOL,
    delivery_id=DELIVERY,
    study_uid="2.25.3",
    subject_code="S-001",
    supplement=False,
    channel_id="c1",
    recipe_name="trial",
    recipe_version="1",
    recipe_digest=SHA,
    software="connect 0.1.0",
    received_at=AT,
    objects=(OBJECT,),
    report=DeidSummary(counts={"X": 3, "U": 2}, seconds=0.5),
)
CHANNEL = ChannelSetup(
    channel_id="c1",
    name="CT room",
    called_ae="COLLEGIUM",
    project_name="Démo",
    site_name="North",
    site_code="N1",
    recipe_yaml=RECIPE,
    recipe_digest=hashlib.sha256(RECIPE.encode()).hexdigest(),
    quiet_time_s=60,
    allocation=Allocation.LISTED,
    storage_classes=("1.2.840.10008.5.1.4.1.1.2",),
    send_window="19:00-06:00",
    max_mbps=50,
    compress=True,
    storage_commitment=True,
    retention_days=7,
    attempts_limit=20,
)
ENTRY = TrailEntry(
    seq=1,
    at=AT,
    action="quarantine.object.released",
    actor_role="operator",
    channel_id="c1",
    previous_hash=NO_ENTRY,
    hash=SHA,
)
BEAT = Heartbeat(
    protocol=PROTOCOL,
    software="s",
    queue_objects=1,
    queue_bytes=2,
    failures=0,
    last_success_at=None,
    channels=(
        ChannelBeat(
            channel_id="c1",
            queue_objects=0,
            quarantined_objects=1,
            last_received_at=AT,
            last_success_at=None,
            failures=2,
        ),
    ),
    rate_in_mbps=812.5,
    rate_out_mbps=95.0,
    disk_free_bytes=1 << 40,
    alarms=(Alarm(code="connect.spool.full", message="The disk is nearly full.", since=AT),),
    configuration=(ChannelConfiguration(channel_id="c1", setup_digest=SHA, recipe_in_force=SHA),),
    trail=(ENTRY,),
)
RECEIPT = Receipt(
    protocol=PROTOCOL,
    delivery_id=DELIVERY,
    manifest_digest=MANIFEST.digest(),
    exam_id=None,
    items=(ReceiptItem(sop_instance_uid="2.25.1", sha256=SHA, outcome=Outcome.HELD, reason=""),),
    at=AT,
)
EVERY_MESSAGE = [
    MANIFEST,
    RECEIPT,
    CHANNEL,
    EnrolmentRequest(protocol=PROTOCOL, code="c", gateway_name="g", software="s", token=SHA),
    EnrolmentAnswer(protocol=PROTOCOL, gateway_id="g", token="t", channels=(CHANNEL,)),
    BEAT,
    ENTRY,
    *BEAT.alarms,
    *BEAT.configuration,
    HeartbeatAnswer(protocol=PROTOCOL, channels=(CHANNEL,), trail_seq=4),
    Missing(missing=(SHA,)),
    ObjectsAnswer(stored=(SHA,), refused=(RefusedObject(sha256=SHA, code="a.b", message="No."),)),
    Problem(code="a.b", message="No.", reference=""),
]
named = pytest.mark.parametrize("message", EVERY_MESSAGE, ids=lambda m: type(m).__name__)


def changed(message: Message, **values: Any) -> bytes:  # Any: wrong values are the point
    return json.dumps({**json.loads(message.to_json()), **values}).encode()


def code_of(data: bytes, kind: type[Message]) -> str:
    with pytest.raises(WireError) as error:
        kind.from_json(data)
    return error.value.code


@named
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    again = type(message).from_json(message.to_json())

    assert again == message


@named
def test_the_bytes_of_a_message_are_canonical(message: Message) -> None:
    plain = json.dumps(
        json.loads(message.to_json()), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )

    assert message.to_json() == plain.encode()


@named
def test_an_unknown_field_is_refused(message: Message) -> None:
    assert code_of(changed(message, surprise=1), type(message)) == "wire.field.unknown"


@named
def test_every_field_of_the_first_release_is_needed(message: Message) -> None:
    whole = json.loads(message.to_json())
    came_later = {"token"} if isinstance(message, EnrolmentRequest) else set()

    codes = {
        code_of(json.dumps({k: v for k, v in whole.items() if k != left_out}).encode(), type(message))
        for left_out in whole.keys() - came_later
    }

    assert codes == {"wire.field.missing"}


def test_a_request_of_before_gateways_made_their_token_is_understood() -> None:
    earlier = b'{"code":"c","gateway_name":"g","protocol":1,"software":"s"}'

    assert EnrolmentRequest.from_json(earlier).token == ""


@pytest.mark.parametrize("token", ["short", SHA.upper(), SHA + "0", "g" * 64])
def test_a_token_that_could_be_guessed_is_none(token: str) -> None:
    request = EnrolmentRequest(protocol=PROTOCOL, code="c", gateway_name="g", software="s")

    assert code_of(changed(request, token=token), EnrolmentRequest) == "wire.field.value"


@named
def test_no_field_takes_another_type(message: Message) -> None:
    whole = json.loads(message.to_json())

    codes = {code_of(json.dumps({**whole, name: [None]}).encode(), type(message)) for name in whole}

    assert codes == {"wire.field.type"}


def test_the_order_of_keys_and_the_kind_of_number_do_not_change_a_digest() -> None:
    first = DeidSummary(counts={"A": 1, "B": 2}, seconds=1)
    second = DeidSummary(counts={"B": 2, "A": 1}, seconds=1.0)

    assert first.digest() == second.digest()


def test_a_time_is_the_same_message_in_every_zone() -> None:
    local = AT.astimezone(timezone(timedelta(hours=5)))

    receipt = Receipt.from_json(changed(RECEIPT, at=local.isoformat()))

    assert receipt.to_json() == RECEIPT.to_json()


@pytest.mark.parametrize(
    "values",
    [
        {"at": "2026-02-03T04:05:06"},
        {"at": "yesterday"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59-14:00"},
        {"delivery_id": "../../etc"},
        {"manifest_digest": SHA.upper()},
    ],
)
def test_an_ill_formed_value_is_refused(values: dict[str, str]) -> None:
    assert code_of(changed(RECEIPT, **values), Receipt) == "wire.field.value"


@pytest.mark.parametrize("seconds", ["1e999", "9" * 400, "true", '"1"'])
def test_a_number_that_is_none_is_refused(seconds: str) -> None:
    assert code_of(b'{"counts":{},"seconds":%s}' % seconds.encode(), DeidSummary) == "wire.field.type"


def test_an_outcome_outside_the_list_is_refused() -> None:
    item = RECEIPT.items[0]

    assert code_of(changed(item, outcome="lost"), ReceiptItem) == "wire.field.value"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"a":1,"a":1}', b'{"a":NaN}', b"[" * 100_000])
def test_what_is_not_json_is_refused(data: bytes) -> None:
    assert code_of(data, Problem) == "wire.json.invalid"


def test_an_error_names_the_field_and_never_the_value() -> None:
    with pytest.raises(WireError) as error:
        Manifest.from_json(changed(MANIFEST, study_uid="Smith^John"))

    assert "study_uid" in error.value.message
    assert "Smith" not in error.value.message


def test_another_protocol_is_refused_before_its_keys_are_looked_at() -> None:
    assert code_of(b'{"protocol":3,"new":true}', Manifest) == "wire.protocol.unsupported"


def test_our_own_protocol_is_accepted() -> None:
    require_protocol(PROTOCOL)


def test_a_manifest_names_no_instance_twice() -> None:
    twice = json.loads(MANIFEST.to_json())["objects"] * 2

    assert code_of(changed(MANIFEST, objects=twice), Manifest) == "wire.field.value"


def test_a_manifest_holds_at_least_one_object() -> None:
    assert code_of(changed(MANIFEST, objects=[]), Manifest) == "wire.field.value"


def test_a_recipe_that_changed_on_the_way_is_refused() -> None:
    assert (
        code_of(changed(CHANNEL, recipe_yaml="name: other\n"), ChannelSetup) == "wire.channel.recipe_digest"
    )


@pytest.mark.parametrize(
    "values",
    [
        {"send_window": "19:00"},
        {"send_window": "24:00-06:00"},
        {"send_window": "06:00-06:00"},
        {"storage_classes": ["CT"]},
        {"storage_classes": ["1.2", "1.2"]},
        {"max_mbps": -1},
        {"retention_days": -1},
        {"attempts_limit": -1},
        {"allocation": "guessed"},
    ],
)
def test_a_channel_that_cannot_be_followed_is_refused(values: dict[str, object]) -> None:
    assert code_of(changed(CHANNEL, **values), ChannelSetup) == "wire.field.value"


@pytest.mark.parametrize(
    "values",
    [
        {"action": "Released Smith^John"},
        {"actor_role": "Dr Smith"},
        {"seq": 0},
        {"hash": "beef"},
        {"previous_hash": ""},
    ],
)
def test_a_trail_has_no_room_for_what_a_person_typed(values: dict[str, object]) -> None:
    assert code_of(changed(ENTRY, **values), TrailEntry) == "wire.field.value"


@pytest.mark.parametrize(("seq", "previous"), [(2, NO_ENTRY), (3, SHA)])
def test_entries_of_a_trail_follow_one_another(seq: int, previous: str) -> None:
    entries = [json.loads(ENTRY.to_json()) | of for of in ({}, {"seq": seq, "previous_hash": previous})]

    assert code_of(changed(BEAT, trail=entries), Heartbeat) == "wire.trail.broken"


def test_a_heartbeat_tells_a_bounded_number_of_things() -> None:
    alarms = [json.loads(alarm.to_json()) for alarm in BEAT.alarms * 51]

    assert code_of(changed(BEAT, alarms=alarms), Heartbeat) == "wire.field.value"


@pytest.mark.parametrize(
    ("outcome", "delivered"),
    [(Outcome.STORED, True), (Outcome.DUPLICATE, True), (Outcome.HELD, True), (Outcome.REFUSED, False)],
)
def test_only_a_refused_instance_is_not_delivered(outcome: Outcome, delivered: bool) -> None:
    kept = ReceiptItem(sop_instance_uid="2.25.1", sha256=SHA, outcome=Outcome.STORED, reason="")
    item = ReceiptItem(sop_instance_uid="2.25.2", sha256=SHA, outcome=outcome, reason="")

    receipt = Receipt(
        protocol=PROTOCOL,
        delivery_id=DELIVERY,
        manifest_digest=SHA,
        exam_id="e",
        items=(kept, item),
        at=AT,
    )

    assert receipt.delivered is delivered


def test_an_empty_receipt_delivers_nothing() -> None:
    empty = Receipt.from_json(changed(RECEIPT, items=[]))

    assert not empty.delivered


def test_secrets_stay_out_of_the_representation() -> None:
    answer = EnrolmentAnswer(protocol=PROTOCOL, gateway_id="g", token="s3cret", channels=())

    assert "s3cret" not in repr(answer)


def test_the_state_of_a_delivery_is_what_is_missing_or_the_receipt() -> None:
    assert delivery_state(b'{"missing":[]}') == Missing(missing=())
    assert delivery_state(RECEIPT.to_json()) == RECEIPT


def test_a_path_is_made_from_a_delivery_id_and_nothing_else() -> None:
    assert paths.delivery_complete(DELIVERY) == f"/gateway/v1/deliveries/{DELIVERY}/complete"
    with pytest.raises(WireError):
        paths.delivery_objects("a/../b")


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(code=texts, message=texts, reference=texts)
def test_any_text_survives_the_way(code: str, message: str, reference: str) -> None:
    problem = Problem(code=code, message=message, reference=reference)

    assert Problem.from_json(problem.to_json()) == problem


@given(
    counts=st.dictionaries(texts, st.integers(0, 2**63)),
    seconds=st.floats(0, allow_infinity=False, allow_nan=False),
)
def test_any_summary_survives_the_way(counts: dict[str, int], seconds: float) -> None:
    summary = DeidSummary(counts=counts, seconds=seconds)

    assert DeidSummary.from_json(summary.to_json()) == summary


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_whatever_arrives_is_a_message_or_a_wire_error(value: Any) -> None:  # Any: any JSON
    with pytest.raises(WireError):
        Manifest.from_json(json.dumps(value).encode())
