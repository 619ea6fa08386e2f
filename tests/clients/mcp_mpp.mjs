// Calls a tool over MCP and pays with MPP: node mcp_mpp.mjs URL PHOTO RESULT, the payer's key in TEMPO_WALLET_PRIVATE_KEY.
// The official MCP client, wrapped by mppx. RPC_URL names a chain of one's own.
import fs from 'node:fs'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpClient, tempo } from 'mppx/mcp/client'
import { createClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

const [url, photo, file] = process.argv.slice(2)
const account = privateKeyToAccount(process.env.TEMPO_WALLET_PRIVATE_KEY)
const rpc = process.env.RPC_URL
const getClient = rpc && (({ chainId }) => createClient({ account, chain: { id: chainId }, transport: http(rpc) }))
const client = new Client({ name: 'agent', version: '1.0.0' })
await client.connect(new StreamableHTTPClientTransport(new URL(url)))
McpClient.wrap(client, { methods: [tempo.charge({ account, getClient })] })

const image = fs.readFileSync(photo).toString('base64')
const result = await client.callTool({ name: 'remove_background', arguments: { image } })

const picture = result.content.find((block) => block.type === 'image')
if (picture) fs.writeFileSync(file, Buffer.from(picture.data, 'base64'))
console.log(JSON.stringify({ error: result.isError ? result.content : null, facts: result.structuredContent, receipt: result.receipt }))
await client.close()
