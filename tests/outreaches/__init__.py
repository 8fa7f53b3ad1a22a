"""Tests of osdi/outreaches/."""
