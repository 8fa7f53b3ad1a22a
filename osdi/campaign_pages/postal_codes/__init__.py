"""The organisation's own table of postal codes: which targets of a campaign a code leads to.

`table` reads the file and finds the longest prefix, `postal_codes_store` stores tables and looks codes up, `transfer`
takes and gives whole files. No other server is asked, and a code that is looked up is not stored here.
"""
