"""Batches of rows: a few commands read what hundreds of rows need, and one transaction stores what they write.

The code that serves POSTs runs row by row, on a store that has read ahead and that keeps writes until the end of the
batch. The database's unique indexes and versions still decide: if another client was first, the rows of the batch are
imported again, in smaller batches and at last one by one.
"""
