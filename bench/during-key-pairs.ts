/**
 * Measures Encrypt while the server generates primes: its p99 when idle, and with a constant number of
 * GenerateDataKeyPair RSA_4096 calls in flight. The rounds of both alternate, so that both run under the same
 * load of the machine. `node bench/during-key-pairs.ts`
 * @module
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { closedLoop } from './load.ts'
import { region, root, startTrent } from './servers.ts'
import { createSigner, signedRequest } from './sign.ts'

const inFlight = 32
const connections = 8
const requests = 3000
const rounds = 5

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'trent-bench-'))
  const server = await startTrent(join(directory, 'data'))
  try {
    await measure(server.port)
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(port: number): Promise<void> {
  const endpoint = `http://127.0.0.1:${port}`
  const kms = new KMSClient({ region, endpoint, credentials: root })
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  kms.destroy()
  const KeyId = KeyMetadata?.KeyId ?? ''
  const { accessKeyId, secretAccessKey } = root
  const signer = createSigner(`127.0.0.1:${port}`, region, accessKeyId, secretAccessKey)
  const encrypts = (): Buffer[] =>
    Array.from({ length: requests }, () =>
      signedRequest(signer, 'Encrypt', { KeyId, Plaintext: randomBytes(32).toString('base64') }),
    )
  let serial = 0
  // A member that AWS ignores makes every request different.
  const pair = (): Buffer =>
    signedRequest(signer, 'GenerateDataKeyPair', {
      KeyId,
      KeyPairSpec: 'RSA_4096',
      Serial: (serial += 1),
    })
  const idle: number[] = []
  const busy: number[] = []
  let made = 0
  for (let round = 0; round < rounds; round += 1) {
    idle.push((await closedLoop(port, encrypts(), connections)).latencies.percentile(0.99))
    const pairs = await keepInFlight(port, pair, inFlight)
    busy.push((await closedLoop(port, encrypts(), connections)).latencies.percentile(0.99))
    made += pairs.stop()
  }
  const [idleP99, busyP99] = [median(idle), median(busy)]
  process.stdout.write(
    `Encrypt p99 idle ${idleP99.toFixed(2)} ms, with ${inFlight} GenerateDataKeyPair RSA_4096 in flight ` +
      `${busyP99.toFixed(2)} ms: ${(busyP99 / idleP99).toFixed(2)} times ` +
      `(${connections} connections, median of ${rounds} rounds, ${made} pairs made)\n`,
  )
}

interface InFlight {
  /** Closes all connections, and returns how many calls were answered. */
  readonly stop: () => number
}

/** Sends a request on each connection, and the next one as soon as it is answered. */
async function keepInFlight(port: number, next: () => Buffer, count: number): Promise<InFlight> {
  let answered = 0
  const sockets: Socket[] = []
  await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      sockets.push(socket)
      let received = ''
      socket.on('data', (bytes: Buffer) => {
        received += bytes.toString('latin1')
        const head = /^(.*?)\r\n\r\n/s.exec(received)?.[1]
        const length = Number(/content-length: (\d+)/i.exec(head ?? '')?.[1] ?? Infinity)
        if (head === undefined || received.length < head.length + 4 + length) return
        if (!head.startsWith('HTTP/1.1 200')) throw new Error(`answered ${received}`)
        received = ''
        answered += 1
        socket.write(next())
      })
      await new Promise((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('error', reject)
      })
      socket.write(next())
    }),
  )
  return {
    stop: () => {
      for (const socket of sockets) socket.destroy()
      return answered
    },
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}

await main()
