"""Pages of a collection: their order, the conditions of their cursors, and the positions of far pages."""
