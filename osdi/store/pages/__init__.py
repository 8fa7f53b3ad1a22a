"""Pages of a collection: their order, the conditions of their cursors, the positions of far pages, and totals."""
