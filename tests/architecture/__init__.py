"""Tests of the source and the pages about it: layers, limits, promises."""
