"""View grants: the only door to images for a blinded task."""
