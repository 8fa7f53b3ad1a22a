"""People on the staff pages: the list with search and filters, the page of a person, and the actions on people."""
