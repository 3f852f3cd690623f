"""Parcours: self-hosted customer-journey software."""

__version__ = "0.1.0"
