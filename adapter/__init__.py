"""The HTTP surface: forms in, pictures out. It never touches a pixel and never imports the server."""
