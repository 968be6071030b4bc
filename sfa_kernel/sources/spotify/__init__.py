"""Spotify: its links, its Web API, and the login of a person."""
