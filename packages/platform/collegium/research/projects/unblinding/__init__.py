"""Unblinding one task, or the final results: asked with a reason, approved by a second person under signature (R44)."""
