"""Orders, products, deals and attribution come here."""
