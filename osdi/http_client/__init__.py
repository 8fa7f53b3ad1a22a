"""Requests to other systems: webhook receivers, gateways and OSDI servers.

`allowed_addresses` keeps requests away from private networks (server-side request forgery), `signature` signs them,
`timeout` bounds a whole exchange.

Imports: nothing of osdi.
"""
