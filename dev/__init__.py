"""What a developer runs and an operator never ships: the packaged mongod and the `make run` supervisor."""
