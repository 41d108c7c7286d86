"""To the city's and the province's platforms. Rule: what was given is sent, whatever its grade; a target is data."""
