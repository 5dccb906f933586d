"""Gateways of hospitals: enrolment, channels, heartbeats."""
