"""What a call flow is, how it is proved and how it runs. Pure: events in, actions out."""
