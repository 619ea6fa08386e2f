// npm install tsx && npx tsx video.mts
import fs from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const api = 'https://api.clearcanvas.app';
const headers = { 'X-API-Key': process.env.CLEARCANVAS_API_KEY! };

const form = new FormData();
form.append('video', new Blob([fs.readFileSync('clip.mp4')]), 'clip.mp4');
form.append('bg_color', '0,160,60');
const job = await fetch(`${api}/video/submit/v1`, {
  method: 'POST',
  headers,
  body: form,
});
if (!job.ok) throw new Error(await job.text());
const { uuid } = await job.json();

let res = await fetch(`${api}/video/result/${uuid}`, { headers });
while (res.status === 202) {
  await setTimeout(1000);
  res = await fetch(`${api}/video/result/${uuid}`, { headers });
}
if (!res.ok) throw new Error(await res.text());

fs.writeFileSync('result.mp4', Buffer.from(await res.arrayBuffer()));
