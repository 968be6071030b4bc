"""Where songs come from: folders, playlist files, Spotify, and programs that download."""
