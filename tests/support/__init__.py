"""Support code of the tests: clients, factories, servers, readers of the database."""
