// npm install standardwebhooks tsx && npx tsx receive.mts
import fs from 'node:fs';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

const job = JSON.parse(fs.readFileSync('job.json', 'utf8'));
const webhook = new Webhook(job.webhook_secret);

http.createServer(async (req, res) => {
  try {
    const headers = req.headers as Record<string, string>;
    const event: any = webhook.verify(await text(req), headers);
    console.log(event.type, event.data.uuid);
    res.writeHead(204).end();
  } catch {
    res.writeHead(400).end();
  }
}).listen(process.env.PORT ?? 8000);
