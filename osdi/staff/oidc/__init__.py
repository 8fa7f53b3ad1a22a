"""Signing in by OpenID Connect: the authorization code flow with PKCE, at the provider that the settings name.

`provider` reads and caches the provider's metadata and keys, and exchanges a code. `id_token` verifies an ID token.
`sign_in` begins and ends a sign-in, and finds the member. joserfc, which verifies signatures, is imported at the first
use, since it takes a tenth of a second.

https://openid.net/specs/openid-connect-core-1_0.html, RFC 7636 (PKCE), RFC 9207 (issuer in the response)
"""
