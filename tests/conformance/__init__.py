"""Tests against the OSDI standard: its fields, its scenarios, the OpenAPI document, HAL clients."""
