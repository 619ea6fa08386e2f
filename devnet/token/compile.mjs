// Compiles DevUSDC.sol into DevUSDC.json: node compile.mjs SOURCE TARGET
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import solc from 'solc'

const [source, target] = process.argv.slice(2)
const file = basename(source)
const content = readFileSync(source, 'utf8')
const outputs = ['abi', 'evm.deployedBytecode.object', 'evm.methodIdentifiers']
const input = {
  language: 'Solidity',
  sources: { [file]: { content } },
  settings: {
    viaIR: true,
    evmVersion: 'paris',
    optimizer: { enabled: true, runs: 200 },
    metadata: { appendCBOR: false },
    outputSelection: { '*': { '*': outputs } },
  },
}
const { errors = [], contracts } = JSON.parse(solc.compile(JSON.stringify(input)))
for (const error of errors) console.error(error.formattedMessage)
if (errors.some((error) => error.severity === 'error')) process.exit(1)

const { abi, evm } = contracts[file].DevUSDC
const artefact = {
  compiler: solc.version(),
  source_sha256: createHash('sha256').update(content).digest('hex'),
  selectors: evm.methodIdentifiers,
  code: `0x${evm.deployedBytecode.object}`,
  abi,
}
writeFileSync(target, `${JSON.stringify(artefact, null, 2)}\n`)
