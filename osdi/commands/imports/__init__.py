"""The commands `import`: from files, and from another OSDI server."""
