"""TODO: osdi/importing/csv_files."""
