"""E-mail: composes messages, reads addresses, makes plain text of HTML and speaks SMTP. Uses neither MongoDB nor Flask.

Imports: http_client, languages.
"""
