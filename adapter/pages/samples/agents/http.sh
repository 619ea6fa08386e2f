# Serves /mcp.
clearcanvas mcp --url https://api.clearcanvas.app --http 127.0.0.1:8404
