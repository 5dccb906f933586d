"""Deliver phantoms like a gateway would, without one: clean objects, a client for the byte paths, a sender."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pydicom
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from starlette.applications import Starlette

from collegium.imaging.connections import api as connections_api
from collegium.imaging.connections import services as connections
from collegium.imaging.dicomweb import api as dicomweb_api
from collegium.imaging.ingest import api as ingest_api
from collegium.kit.database import acting_as
from collegium.kit.ids import uuid7
from collegium.trust.identity.queries import account_by_email
from collegium_deid import SiteKey, clean_object, load_recipe
from collegium_deid.pixels import clean_pixels
from collegium_testkit import phantoms
from collegium_wire import PROTOCOL, DeidSummary, EnrolmentRequest, Manifest, ManifestObject, paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from collegium_testkit.world import Person, World

RECIPE = load_recipe("trial")
BOUNDARY = "boundary-of-tests"


@dataclass(frozen=True)
class CleanObject:
    """One de-identified object as a gateway would send it."""

    content: bytes
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def dataset(self) -> pydicom.Dataset:
        return pydicom.dcmread(io.BytesIO(self.content))


@dataclass(frozen=True)
class CleanExam:
    """An exam after the engine, with the truth it was made from."""

    subject: str
    objects: tuple[CleanObject, ...]
    rod: phantoms.Rod
    rod_instance_uid: str

    @property
    def study_uid(self) -> str:
        return self.objects[0].study_uid

    @property
    def series_uid(self) -> str:
        return self.objects[0].series_uid


class Client:
    """Asks the byte paths, one request after another."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def get(self, path: str, **request: Any) -> httpx.Response:  # Any: httpx's own arguments
        return self.request("GET", path, **request)

    def post(self, path: str, **request: Any) -> httpx.Response:  # Any: httpx's own arguments
        return self.request("POST", path, **request)

    def put(self, path: str, **request: Any) -> httpx.Response:  # Any: httpx's own arguments
        return self.request("PUT", path, **request)

    def request(self, method: str, path: str, **request: Any) -> httpx.Response:  # Any: httpx's own arguments
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
                return await client.request(method, path, **request)

        return anyio.run(ask)


def edited(one: CleanObject, change: Callable[[pydicom.Dataset], None]) -> CleanObject:
    """The same object with some elements changed."""
    dataset = one.dataset
    change(dataset)
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return CleanObject(
        out.getvalue(),
        str(dataset.StudyInstanceUID),
        str(dataset.SeriesInstanceUID),
        str(dataset.SOPInstanceUID),
        str(dataset.SOPClassUID),
        str(dataset.file_meta.TransferSyntaxUID),
    )


def clean_exam(folder: Path, *, slices: int = 4, seed: int = 1, subject: str = "S-001") -> CleanExam:
    """A phantom CT exam after the engine, under a fresh site key: new UIDs every time."""
    key = SiteKey(hashlib.sha256(uuid7().bytes).digest())
    truth = phantoms.ct_exam(folder / uuid7().hex, slices=slices, seed=seed, size=64)
    objects, rod_uid = [], ""
    for path in truth.files:
        raw = path.read_bytes()
        cleaned = clean_object(raw, recipe=RECIPE, key=key, subject=subject)
        looked = clean_pixels(raw, cleaned, recipe=RECIPE)
        if str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) == truth.rod.sop_instance_uid:
            rod_uid = cleaned.sop_instance_uid
        objects.append(
            CleanObject(
                looked.head + b"".join(looked.pixels),
                cleaned.study_uid,
                cleaned.series_uid,
                cleaned.sop_instance_uid,
                cleaned.sop_class_uid,
                cleaned.transfer_syntax_uid,
            )
        )
    return CleanExam(subject, tuple(objects), truth.rod, rod_uid)


def client() -> Client:
    """The byte paths of imaging, as the server mounts them."""
    routes = [*connections_api.routes, *ingest_api.routes, *dicomweb_api.routes]
    return Client(Starlette(routes=routes))


def cookie_of(person: Person) -> dict[str, str]:
    """Headers of a person with a live session."""
    account = account_by_email(person.email)
    assert account
    session = SessionStore()
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    session.create()
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}


def multipart(parts: list[tuple[dict[str, str], bytes]]) -> tuple[dict[str, str], bytes]:
    """Content type and body of an upload."""
    body = b""
    for headers, content in parts:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body += f"\r\n--{BOUNDARY}\r\n{lines}\r\n".encode() + content
    body += f"\r\n--{BOUNDARY}--\r\n".encode()
    return {"Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'}, body


@dataclass
class Sender:
    """A gateway that has enrolled, and delivers."""

    client: Client
    token: str
    gateway_id: UUID
    channel_id: str
    world: World
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def manifest(self, exam: CleanExam, **changes: Any) -> Manifest:  # Any: fields of the manifest
        given: dict[str, Any] = {  # Any: the same
            "protocol": PROTOCOL,
            "delivery_id": str(uuid7()),
            "study_uid": exam.study_uid,
            "subject_code": exam.subject,
            "supplement": False,
            "channel_id": self.channel_id,
            "recipe_name": RECIPE.name,
            "recipe_version": RECIPE.version,
            "recipe_digest": RECIPE.digest,
            "software": "test 1",
            "received_at": datetime(2026, 1, 1, tzinfo=UTC),
            "objects": tuple(
                ManifestObject(
                    sop_instance_uid=one.sop_instance_uid,
                    sop_class_uid=one.sop_class_uid,
                    transfer_syntax_uid=one.transfer_syntax_uid,
                    series_uid=one.series_uid,
                    size_bytes=len(one.content),
                    sha256=one.sha256,
                )
                for one in exam.objects
            ),
            "report": DeidSummary(counts={"removed": 1}, seconds=0.1),
        }
        return Manifest(**(given | changes))

    def open(self, manifest: Manifest) -> Any:  # Any: an httpx response
        return self.client.put(
            paths.delivery(manifest.delivery_id), content=manifest.to_json(), headers=self.headers
        )

    def send(self, manifest: Manifest, objects: Any, **headers: str) -> Any:  # Any: an httpx response
        parts = [
            (
                {
                    "Content-Type": "application/dicom",
                    "Content-Length": str(len(one.content)),
                    "Content-ID": one.sha256,
                },
                one.content,
            )
            for one in objects
        ]
        typed, body = multipart(parts)
        return self.client.post(
            paths.delivery_objects(manifest.delivery_id), content=body, headers=self.headers | typed | headers
        )

    def complete(self, manifest: Manifest) -> Any:  # Any: an httpx response
        return self.client.post(paths.delivery_complete(manifest.delivery_id), headers=self.headers)

    def deliver(self, exam: CleanExam, **changes: Any) -> dict[str, Any]:  # Any: a receipt's JSON
        manifest = self.manifest(exam, **changes)
        assert self.open(manifest).status_code == 200
        assert self.send(manifest, exam.objects).status_code == 200
        answer = self.complete(manifest)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def enrolled(client: Client, world: World) -> Sender:
    """A gateway with one channel, let in by a one-time code."""
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        gateway = connections.add_gateway(actor=actor, name=f"North {uuid7().hex[-6:]}")
        channel = connections.add_channel(
            actor=actor,
            gateway_id=gateway.id,
            name="CT",
            called_ae="TRIAL",
            project_name="Project",
            site_code="01",
            site_name="North",
            recipe_text=RECIPE.text,
        )
        issued = connections.issue_code(actor=actor, gateway_id=gateway.id)
    asked = EnrolmentRequest(protocol=PROTOCOL, code=issued.code, gateway_name="North", software="test 1")
    answer = client.post(paths.ENROL, content=asked.to_json())
    assert answer.status_code == 200, answer.text
    return Sender(client, answer.json()["token"], gateway.id, str(channel.id), world)
