// Makes credentials and pays nothing but what push has to: node mpp_credential.mjs, RPC_URL names the chain.
// One line of JSON in, {challenge: WWW-Authenticate's value, key, mode: pull|push}, one line out: {credential} or {error}.
import readline from 'node:readline'
import { Mppx, tempo } from 'mppx/client'
import { createClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

async function credential({ challenge, key, mode }) {
  const account = privateKeyToAccount(key)
  const transport = http(process.env.RPC_URL)
  const getClient = ({ chainId }) => createClient({ account, chain: { id: chainId }, transport })
  const client = Mppx.create({ methods: [tempo.charge({ account, getClient, mode })], polyfill: false })
  return client.createCredential(new Response(null, { status: 402, headers: { 'WWW-Authenticate': challenge } }))
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const answer = await credential(JSON.parse(line)).then((made) => ({ credential: made }), (error) => ({ error: String(error) }))
  console.log(JSON.stringify(answer))
}
