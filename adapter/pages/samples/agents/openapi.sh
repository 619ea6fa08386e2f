curl https://api.clearcanvas.app/openapi.json
