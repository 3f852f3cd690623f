"""From what the account wrote to what one contact reads: Liquid, MJML, CSS, links, text part."""
