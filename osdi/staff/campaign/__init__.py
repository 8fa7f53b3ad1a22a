"""One campaign on the staff pages: its figures, its latest outreaches, its check list before it is published."""
