// npm install standardwebhooks tsx && npx tsx receive.mts
import fs from 'node:fs';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(JSON.parse(fs.readFileSync('job.json', 'utf8')).webhook_secret);

http.createServer(async (req, res) => {
  try {
    const event: any = webhook.verify(await text(req), req.headers as Record<string, string>);
    console.log(event.type, event.data.uuid);
    res.writeHead(204).end();
  } catch {
    res.writeHead(400).end();
  }
}).listen(process.env.PORT ?? 8000);
