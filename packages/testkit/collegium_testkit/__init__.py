"""Phantoms, invented people, a sending PACS: for tests and the demo, never published.

Nothing here is imported by shipped code. Import the module you need:
`phantoms` (images with known truth), `people` (invented persons), `pacs` (a peer that pushes),
`real_data` (optional public test images on this machine).
"""
