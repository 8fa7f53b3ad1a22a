"""The list of people on the staff pages: filters and order, the search, the rows, suggestions, and the CSV file."""
