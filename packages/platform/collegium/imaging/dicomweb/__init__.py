"""DICOMweb: searching, metadata and frames, for members of a space and for holders of a grant."""
