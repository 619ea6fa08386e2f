// Removes a background with the npm client of remove.bg: node removebg.mjs ADDRESS KIND SOURCE RESULT, the key in
// API_KEY, options as JSON in OPTIONS. KIND is file, base64 or url. Prints what the client gives or rejects with.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import Module from 'node:module'

const [address, kind, source, outputFile] = process.argv.slice(2)

// The address is the one thing that is changed in the client, while it is loaded.
const compile = Module.prototype._compile
Module.prototype._compile = function (code, file) {
  const isClient = file.endsWith('/remove.bg/dist/index.js')
  return compile.call(this, isClient ? code.replace('https://api.remove.bg', address) : code, file)
}
const client = createRequire(import.meta.url)('remove.bg')

const options = { apiKey: process.env.API_KEY, outputFile, ...JSON.parse(process.env.OPTIONS ?? '{}') }
const calls = {
  file: () => client.removeBackgroundFromImageFile({ path: source, ...options }),
  base64: () => client.removeBackgroundFromImageBase64({ base64img: fs.readFileSync(source, 'base64'), ...options }),
  url: () => client.removeBackgroundFromImageUrl({ url: source, ...options }),
}
try {
  const { base64img, ...result } = await calls[kind]()
  console.log(JSON.stringify({ result, errors: [] }))
} catch (errors) {
  console.log(JSON.stringify({ result: {}, errors }))
}
