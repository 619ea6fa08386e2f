"""The MCP server: the image operations as tools of agents. A thin client of the public HTTP API."""
