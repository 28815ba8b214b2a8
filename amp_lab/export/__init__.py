"""What a render leaves for others: HTML, pictures, players, sound files, traces."""
