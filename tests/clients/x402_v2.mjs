// Pays with x402 version 2: node x402_v2.mjs URL PHOTO RESULT, the payer's key in PRIVATE_KEY.
// The guide's TypeScript sample for today's SDK.
import { registerExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { privateKeyToAccount } from 'viem/accounts'
import { report } from './report.mjs'
import { write } from './request.mjs'

const [url, photo, result] = process.argv.slice(2)
const client = new x402Client()
registerExactEvmScheme(client, { signer: privateKeyToAccount(process.env.PRIVATE_KEY) })
const fetch402 = wrapFetchWithPayment(fetch, client)

const res = await fetch402(url, write(photo))

await report(res, result)
