"""Signing in with OpenID Connect: authorisation code with PKCE, and bearer tokens. Loaded when a provider is set."""
