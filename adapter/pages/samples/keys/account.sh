curl https://api.clearcanvas.app/account -H "X-API-Key: $CLEARCANVAS_API_KEY"
