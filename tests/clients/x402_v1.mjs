// Pays with x402 version 1: node x402_v1.mjs URL PHOTO RESULT, the payer's key in PRIVATE_KEY.
// The guide's TypeScript sample as x402-fetch, which took the place of @coinbase/x402, has it.
import { createSigner, wrapFetchWithPayment } from 'x402-fetch'
import { report } from './report.mjs'
import { write } from './request.mjs'

const [url, photo, result] = process.argv.slice(2)
const signer = await createSigner(process.env.NETWORK ?? 'base', process.env.PRIVATE_KEY)
const fetch402 = wrapFetchWithPayment(fetch, signer)

const res = await fetch402(url, write(photo))

await report(res, result)
