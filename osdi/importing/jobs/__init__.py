"""Imports of uploaded files: jobs that members of the staff make on a page, and that the worker executes.

`job` has the states. The file lies in parts in the database, since the web process and the worker share no disk. A
member chooses the fields of the columns and starts the import; the worker reads, checks and imports the file by the
code of the command `import`.
"""
