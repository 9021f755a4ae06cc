/**
 * Measures Encrypt while the server generates primes: its p99 when idle, and with a constant number of
 * GenerateDataKeyPair RSA_4096 calls in flight. `node bench/during-key-pairs.ts`
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { clientsOf, newKey } from './data.ts'
import { closedLoop, eachOf } from './load.ts'
import { figures, inRounds } from './measure.ts'
import { makeDirectory, region, root, startTrent, type Server } from './servers.ts'
import { createSigner, signedRequest } from './sign.ts'
import { print, tableHead, tableLine } from './table.ts'

const inFlight = 32
const connections = 8
const requests = 3000
const rounds = 5

async function measure(server: Server): Promise<void> {
  const { kms, iam } = clientsOf(server)
  const KeyId = await newKey(kms)
  kms.destroy()
  iam.destroy()
  const { accessKeyId, secretAccessKey } = root
  const signer = createSigner(`127.0.0.1:${server.port}`, region, accessKeyId, secretAccessKey)
  const encrypts = (count: number): Buffer[] =>
    Array.from({ length: count }, () =>
      signedRequest(signer, 'Encrypt', { KeyId, Plaintext: randomBytes(32).toString('base64') }),
    )
  let serial = 0
  // A member that AWS ignores makes every request different.
  const pair = (): Buffer => {
    const input = { KeyId, KeyPairSpec: 'RSA_4096', Serial: (serial += 1) }
    return signedRequest(signer, 'GenerateDataKeyPair', input)
  }
  const idle = { name: 'idle', server, requests: encrypts, ofRound: requests }
  const busy = { ...idle, name: 'generating keys' }
  let pairs = 0
  let isBusy = false
  const totals = await inRounds([idle, busy], rounds, async ({ port }, fresh) => {
    const stopping = new AbortController()
    const generating = isBusy && closedLoop(port, pair, inFlight, stopping.signal)
    isBusy = !isBusy
    const load = await closedLoop(port, eachOf(fresh), connections)
    stopping.abort()
    if (generating !== false) pairs += (await generating).latencies.count
    return load
  })
  print(tableHead())
  for (const [{ name }, total] of totals) {
    print(tableLine({ case: 'Encrypt', server: name, load: 'closed', ...figures(server, total) }))
  }
  print(`${pairs} pairs were generated`)
}

const server = await startTrent(join(makeDirectory(), 'data'))
await measure(server)
await server.stop()
