// npm install tsx && npx tsx hd.mts
import fs from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const api = 'https://api.clearcanvas.app';
const headers = { 'X-API-Key': process.env.CLEARCANVAS_API_KEY! };

const form = new FormData();
form.append('image', new Blob([fs.readFileSync('photo.png')]), 'photo.png');
form.append('operation', 'blur');
const job = await fetch(`${api}/image/hd/submit/v1`, {
  method: 'POST',
  headers,
  body: form,
});
if (!job.ok) throw new Error(await job.text());
const { uuid } = await job.json();

let res = await fetch(`${api}/image/hd/result/${uuid}`, { headers });
while (res.status === 202) {
  await setTimeout(1000);
  res = await fetch(`${api}/image/hd/result/${uuid}`, { headers });
}
if (!res.ok) throw new Error(await res.text());

fs.writeFileSync('result.png', Buffer.from(await res.arrayBuffer()));
