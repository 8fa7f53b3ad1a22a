"""Development tools, not shipped: the packaged mongod, `make run`, generated pages and checks."""
