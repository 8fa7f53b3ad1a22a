"""Requests to other systems: webhook receivers, gateways and OSDI servers.

`timeout` bounds a whole exchange by one deadline (also for SMTP). `connections` are those of urllib3 with such a
deadline and with a check of the addresses that they connect to. `allowed_addresses` has the rule of that check, which
keeps requests away from private networks (server-side request forgery). `signature` signs requests.

Imports: version.
"""
