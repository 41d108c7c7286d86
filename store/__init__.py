"""The shared evaluation store: pure rules, and the database that keeps what they allow."""
