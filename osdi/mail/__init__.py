"""E-mail: composing a message, reading addresses, plain text from HTML, and SMTP. Pure of MongoDB and Flask.

Imports: http_client.
"""
