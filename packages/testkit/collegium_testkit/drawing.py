"""A reader at the screen who draws on the phantom, as the viewer would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.test import Client as Browser

from collegium.imaging.grants import services as grants
from collegium.kit import clock
from collegium.kit.database import acting_as
from collegium.kit.ids import uuid7
from collegium_testkit.delivering import cookie_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_testkit.delivering import CleanExam, Sender
    from collegium_testkit.world import Person

    Exams = Callable[..., CleanExam]


@dataclass
class Reading:
    """A reader at the screen with one granted exam."""

    sender: Sender
    exam: CleanExam
    exam_id: str
    reader: Person

    def __post_init__(self) -> None:
        self.headers = cookie_of(self.reader)
        self.browser = Browser(headers=self.headers)
        self.grant_id = self.grant()

    def grant(self, **changes: Any) -> UUID:  # Any: as `issue` takes
        given: dict[str, Any] = {  # Any: the same
            "principal": self.reader.principal,
            "exam_ids": [UUID(self.exam_id)],
            "allow_fields": [],
            "label": "S-001",
            "mode": "read",
            "expires": clock.now() + timedelta(hours=1),
            "owner": "task:1",
        }
        world = self.sender.world
        with acting_as(world.administrator.principal, [world.space_id]):
            return grants.issue(world.actor(), **(given | changes)).id

    def dicom(self, path: str) -> Any:  # Any: JSON
        root = f"/dicom-web/grants/{self.grant_id}"
        return self.sender.client.get(root + path, headers=self.headers).json()

    def rod(self, **changes: Any) -> dict[str, Any]:  # Any: JSON
        """The phantom's rod as the viewer would send it, under the grant's UIDs."""
        study = self.dicom("/studies")[0]["0020000D"]["Value"][0]
        series = self.dicom(f"/studies/{study}/series")[0]["0020000E"]["Value"][0]
        instances = self.dicom(f"/studies/{study}/series/{series}/metadata")
        order = sorted(instances, key=lambda one: one["00200013"]["Value"][0])
        shown = order[self.exam.rod.slice_index]
        body: dict[str, Any] = {  # Any: JSON
            "op_id": str(uuid7()),
            "base_revision": 0,
            "kind": "length",
            "series_uid": series,
            "instance_uid": shown["00080018"]["Value"][0],
            "frame": 1,
            "frame_of_reference_uid": shown["00200052"]["Value"][0],
            "points": [list(point) for point in self.exam.rod.world_points],
            "image_points": [list(point) for point in self.exam.rod.image_points],
            "label": "T1",
        }
        return body | changes

    def diameters(self, **changes: Any) -> dict[str, Any]:  # Any: JSON
        """The rod and a line of half its length across its middle: 40 mm and 20 mm."""
        body = self.rod()
        series = f"/studies/{self.dicom('/studies')[0]['0020000D']['Value'][0]}/series/{body['series_uid']}"
        shown = next(
            one
            for one in self.dicom(f"{series}/metadata")
            if one["00080018"]["Value"][0] == body["instance_uid"]
        )
        between_rows, between_columns = shown["00280030"]["Value"]
        (ax, ay, z), (bx, by, _) = body["points"]
        x, y, across, down = (ax + bx) / 2, (ay + by) / 2, -(by - ay) / 4, (bx - ax) / 4
        first_x, first_y, _ = shown["00200032"]["Value"]
        ends = [[x - across, y - down, z], [x + across, y + down, z]]
        pixels = [[(ex - first_x) / between_columns, (ey - first_y) / between_rows] for ex, ey, _ in ends]
        two = {
            "kind": "bidirectional",
            "points": body["points"] + ends,
            "image_points": body["image_points"] + pixels,
        }
        return body | two | changes

    def put(
        self, body: dict[str, Any], mark_id: UUID | None = None, grant_id: UUID | None = None
    ) -> Any:  # Any: a response
        path = f"/api/v1/grants/{grant_id or self.grant_id}/marks/{mark_id or uuid7()}"
        return self.browser.put(path, json.dumps(body), content_type="application/json")

    def delete(self, mark_id: UUID, revision: int, op_id: UUID | None = None) -> Any:  # Any: a response
        body = {"op_id": str(op_id or uuid7()), "base_revision": revision}
        path = f"/api/v1/grants/{self.grant_id}/marks/{mark_id}"
        return self.browser.delete(path, json.dumps(body), content_type="application/json")

    def listed(self, grant_id: UUID | None = None) -> list[dict[str, Any]]:  # Any: JSON
        return list(self.browser.get(f"/api/v1/grants/{grant_id or self.grant_id}/marks").json()["marks"])
