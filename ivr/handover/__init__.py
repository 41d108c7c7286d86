"""How a caller comes from the operator to the survey, and how the call is matched with its contact."""
