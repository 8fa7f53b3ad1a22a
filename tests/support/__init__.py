"""What tests use besides fixtures: clients, factories, servers, readers of the database."""
