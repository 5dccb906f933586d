"""Images: gateways, the archive, the way in, view grants, DICOMweb and marks."""
