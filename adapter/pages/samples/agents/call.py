# pip install mcp
import asyncio
import os

from mcp import Client, StdioServerParameters

server = StdioServerParameters(
    command="clearcanvas",
    args=["mcp", "--url", "https://api.clearcanvas.app"],
    env={"CLEARCANVAS_API_KEY": os.environ["CLEARCANVAS_API_KEY"]},
)


async def main() -> None:
    async with Client(server) as client:
        result = await client.call_tool(
            "remove_background",
            {"image_path": "photo.png", "save_to": "result.png"},
        )
        print(result.structured_content)


asyncio.run(main())
