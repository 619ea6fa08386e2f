// npm install tsx && npx tsx edit.mts
import fs from 'node:fs';

const form = new FormData();
form.append('image', new Blob([fs.readFileSync('photo.png')]), 'photo.png');
form.append('bgcolor', '#f5f5f4');
form.append('shadow', 'drop');

const res = await fetch('https://api.clearcanvas.app/image/color/v1', {
  method: 'POST',
  headers: { 'X-API-Key': process.env.CLEARCANVAS_API_KEY! },
  body: form,
});
if (!res.ok) throw new Error(await res.text());

fs.writeFileSync('result.png', Buffer.from(await res.arrayBuffer()));
