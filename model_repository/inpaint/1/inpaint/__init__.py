"""What `inpaint` is made of: its settings, how its pipeline is loaded, how it paints, and the queue in front of it."""
