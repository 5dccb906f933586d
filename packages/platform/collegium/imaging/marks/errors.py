"""What can go wrong with marks."""

from __future__ import annotations

from collegium.kit.errors import Conflict, Invalid, NotFound


class MarkNotFound(NotFound):
    code = "marks.mark.not_found"


class MarkStale(Conflict):
    """Someone, perhaps another window of the same reader, saved the mark meanwhile."""

    code = "marks.mark.stale"
    message = "This mark was changed in another window. It is shown as it is now; draw your change again."

    def __init__(self, mark_id: object) -> None:
        super().__init__()
        self.mark_id = mark_id
        self.details: dict[str, object] = {}


class MarkInvalid(Invalid):
    code = "marks.mark.invalid"
    message = "This mark cannot be saved as it was sent."


class NoSpacing(Invalid):
    code = "marks.mark.no_spacing"
    message = "This image does not say how large its pixels are, so nothing can be measured on it in mm."


class PointsDisagree(Invalid):
    code = "marks.mark.points_disagree"
    message = "The mark's place in the image and in the patient disagree, so its length is not certain."


class OutsideImage(Invalid):
    code = "marks.mark.outside_image"
    message = "This mark reaches beyond the image. Draw it on the image."


class DiametersNotPerpendicular(Invalid):
    code = "marks.mark.diameters_not_perpendicular"
    message = "The two diameters must stand at a right angle. Move an end of the short one and try again."


class DiametersApart(Invalid):
    code = "marks.mark.diameters_apart"
    message = "The two diameters must cross each other. Move the short one onto the long one and try again."
