"""Live traffic: taken in, watched, alerted on."""
