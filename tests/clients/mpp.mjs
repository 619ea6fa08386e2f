// Pays with MPP: node mpp.mjs URL PHOTO RESULT, the payer's key in TEMPO_WALLET_PRIVATE_KEY.
// The guides' TypeScript sample for today's mppx. MODE is pull (the service broadcasts) or push (the client does);
// RPC_URL names a chain of one's own.
import { Mppx, tempo } from 'mppx/client'
import { createClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { report } from './report.mjs'
import { write } from './request.mjs'

const [url, photo, result] = process.argv.slice(2)
const account = privateKeyToAccount(process.env.TEMPO_WALLET_PRIVATE_KEY)
const rpc = process.env.RPC_URL
const getClient = rpc && (({ chainId }) => createClient({ account, chain: { id: chainId }, transport: http(rpc) }))
const client = Mppx.create({ methods: [tempo.charge({ account, getClient, mode: process.env.MODE })], polyfill: false })

const res = await client.fetch(url, write(photo))

await report(res, result)
