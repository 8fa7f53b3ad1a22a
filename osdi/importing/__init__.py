"""Data that comes in by files and from other servers, read liberally and taken in as a POST with a token would be."""
