"""CSV files of any origin: encoding, separator, headers, cell values, and the OSDI bodies that rows become."""
