"""From a queued send to a server's answer: claim, attempt, outcome; each survives a kill at any instant."""
