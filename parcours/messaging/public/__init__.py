"""What the readers of mails reach: the open pixel, the click redirect, the unsubscribe page."""
