"""The public campaign pages over HTTP and in Chromium."""
