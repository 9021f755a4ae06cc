/**
 * Measures Encrypt under a built-in key while nobody calls the HSM of a key store, while 50 calls a second use
 * keys in it, and while the same calls meet an HSM that hangs: its library never returns. The three alternate
 * in the same run. `node bench/hung-token.ts LIBRARY TOOL FAULTS`: the library of SoftHSM2, its
 * softhsm2-util, and the library of the tests that fails on demand (`.cache/fault-hsm/fault-hsm.so`).
 * @module
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeAuthority } from '../src/tls/make.ts'
import { clientsOf, newKey } from './data.ts'
import { closedLoop, eachOf } from './load.ts'
import { figures, inRounds, warmUp, type Contender } from './measure.ts'
import { makeHsm, makeKeyIn } from './outside.ts'
import { makeDirectory, region, root, startTrent, type Server } from './servers.ts'
import { createSigner, signedRequest } from './sign.ts'
import { print, tableHead, tableLine } from './table.ts'

const [library, tool, faults] = process.argv.slice(2)
if (library === undefined || tool === undefined || faults === undefined) {
  throw new Error('node bench/hung-token.ts LIBRARY TOOL FAULTS')
}

const requests = 2500
const rounds = 4
const connections = 4
/** Milliseconds between two calls to the HSM. */
const everyMs = 20
/** Milliseconds before a round in which those calls begin: then 64 wait for an HSM that hangs. */
const settledMs = 2000

type Meanwhile = 'nothing' | 'HSM works' | 'HSM hangs'

const directory = makeDirectory()
const rules = join(directory, 'rules')
writeFileSync(rules, '')
const hsm = makeHsm(directory, await makeAuthority(Date.now()), {
  library,
  tool,
  faults: { library: faults, rules },
})
const settings = { ...hsm.settings, TRENT_QUOTA_OVERRIDES: 'custom-key-store=100000' }
const server = await startTrent(join(directory, 'data'), settings)
const { kms, iam } = clientsOf(server)
const builtIn = await newKey(kms)
const inHsm = await makeKeyIn(kms, hsm)
kms.destroy()
iam.destroy()

const { accessKeyId, secretAccessKey } = root
const signer = createSigner(`127.0.0.1:${server.port}`, region, accessKeyId, secretAccessKey)
const encrypt = (KeyId: string): Buffer =>
  signedRequest(signer, 'Encrypt', { KeyId, Plaintext: randomBytes(32).toString('base64') })

/** Calls to the HSM by their outcomes. */
const outcomes = new Map<string, number>()

/** Sends one call to the HSM on a connection of its own, whatever becomes of it. */
function callHsm(): void {
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.once('data', (bytes) => {
    const text = bytes.toString('latin1')
    const outcome = /"__type":"(\w+)"/.exec(text)?.[1] ?? text.slice(9, 12)
    outcomes.set(outcome, 1 + (outcomes.get(outcome) ?? 0))
    socket.destroy()
  })
  socket.write(encrypt(inHsm))
}

async function run(meanwhile: Meanwhile, fresh: readonly Buffer[]): ReturnType<typeof closedLoop> {
  writeFileSync(rules, meanwhile === 'HSM hangs' ? 'C_Encrypt hang' : '')
  const timer = meanwhile === 'nothing' ? undefined : setInterval(callHsm, everyMs)
  try {
    await sleep(settledMs)
    return await closedLoop(server.port, eachOf(fresh), connections)
  } finally {
    clearInterval(timer)
    writeFileSync(rules, '')
  }
}

const made = (count: number): Buffer[] => Array.from({ length: count }, () => encrypt(builtIn))
const bounds = { connections, least: 3000, always: 1, most: requests, seconds: Infinity }
await warmUp(server, made, bounds)
// `inRounds` tells servers apart by what they are.
const states = new Map<Server, Meanwhile>(
  (['nothing', 'HSM works', 'HSM hangs'] as const).map((each) => [{ ...server }, each]),
)
const contenders = [...states].map(([measured, name]): Contender => ({
  name,
  server: measured,
  requests: made,
  ofRound: requests,
}))
const totals = await inRounds(contenders, rounds, (measured, fresh) =>
  run(states.get(measured) ?? 'nothing', fresh),
)
print(tableHead())
for (const [{ name }, total] of totals) {
  print(tableLine({ case: 'Encrypt', server: name, load: 'closed', ...figures(server, total) }))
}
print(`calls to the HSM: ${JSON.stringify(Object.fromEntries(outcomes))}`)
await server.stop()
