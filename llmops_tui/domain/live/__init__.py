"""Live traffic: what arrives, what is known of a request, what is counted, and what is said of it. Pure."""
