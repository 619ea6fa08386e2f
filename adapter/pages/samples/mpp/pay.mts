// npm install mppx viem tsx && npx tsx pay.mts
import fs from 'node:fs';
import { Mppx, tempo } from 'mppx/client';
import { privateKeyToAccount } from 'viem/accounts';

const key = process.env.TEMPO_WALLET_PRIVATE_KEY as `0x${string}`;
const account = privateKeyToAccount(key);
const mppx = Mppx.create({ methods: [tempo.charge({ account })], polyfill: false });

const res = await mppx.fetch('https://mpp.clearcanvas.app/v1/remove-background', {
  method: 'POST',
  headers: { 'Content-Type': 'image/png' },
  body: fs.readFileSync('photo.png'),
});
if (!res.ok) throw new Error(await res.text());

fs.writeFileSync('result.png', Buffer.from(await res.arrayBuffer()));
