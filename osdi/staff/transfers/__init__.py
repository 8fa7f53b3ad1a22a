"""The staff pages about imports of uploaded files, and about exports."""
