"""Tests of osdi/campaign_pages/."""
