"""Tests of what deployments are made from: deploy/, the image, proxies."""
