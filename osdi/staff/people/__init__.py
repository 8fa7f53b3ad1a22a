"""People on the staff pages: the list with search and filters, the page of a person, and the acts on people."""
