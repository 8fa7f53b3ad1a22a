"""A Debian machine in namespaces of Linux, on which the documented commands of an installation are executed."""
