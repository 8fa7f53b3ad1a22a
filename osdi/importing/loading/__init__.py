"""Loads the rows of a file by the schemas, for a large file in a second process beside the one that imports them.

Nothing here reads or writes the database, and the modules that the second process loads do not import the driver.
"""
