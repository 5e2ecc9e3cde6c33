"""Towers that run elsewhere than in torch, each held against torch before it is used."""
