/**
 * Measures starts: CPU time and resident memory of Trent and of other KMS servers, in turns in one run. Each start
 * has an empty data directory. `node bench/starts.ts [executable] [starts]`: without the file of a release, its
 * row is left out.
 *
 * Two moments count: when the server is ready, and some seconds later, when it has answered a first CreateKey,
 * Encrypt and Decrypt. Some servers load their code only then, and Trent starts its event index a second later.
 * @module
 */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { clientsOf } from './data.ts'
import { peers, startPeer } from './peers.ts'
import { makeDirectory, startProgram, startTrent, type Server } from './servers.ts'
import { print, tableHead, tableLine, type Column } from './table.ts'
import { readMemory, readUsage } from './usage.ts'

const [executable, given] = process.argv.slice(2)
const starts = Number(given ?? 7)
const settleMs = 3000

const columns: readonly Column[] = [
  { name: 'server', width: 18 },
  { name: 'ready: CPU s', width: 12, digits: 2 },
  { name: 'MB', width: 5, digits: 0 },
  { name: 'in use: CPU s', width: 13, digits: 2 },
  { name: 'MB then', width: 7, digits: 0 },
  { name: 'starts', width: 6, digits: 0 },
]

type Start = Readonly<Record<'ready: CPU s' | 'MB' | 'in use: CPU s' | 'MB then', number>>

const contenders = new Map<string, () => Promise<Server>>([
  ['Trent, checkout', () => startTrent(makeDirectory())],
])
if (executable !== undefined) {
  // The kernel maps more of a file that was just linked than of one that was unpacked.
  const unpacked = join(makeDirectory(), 'trent')
  copyFileSync(executable, unpacked)
  contenders.set('Trent, executable', () => startProgram([unpacked, 'serve'], makeDirectory()))
}
for (const name of Object.keys(peers)) contenders.set(name, () => startPeer(name))

async function measure(start: () => Promise<Server>): Promise<Start> {
  const server = await start()
  const now = (): readonly [seconds: number, megabytes: number] => [
    readUsage(server.pid).process / 1e9,
    readMemory(server.pid) / 1e6,
  ]
  try {
    const [readySeconds, readyMegabytes] = now()
    const { kms, iam } = clientsOf(server)
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const Plaintext = Buffer.from('hello')
    const encrypt = new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext })
    const { CiphertextBlob } = await kms.send(encrypt)
    await kms.send(new DecryptCommand({ CiphertextBlob }))
    kms.destroy()
    iam.destroy()
    await sleep(settleMs)
    const [seconds, megabytes] = now()
    return {
      'ready: CPU s': readySeconds,
      MB: readyMegabytes,
      'in use: CPU s': seconds,
      'MB then': megabytes,
    }
  } finally {
    await server.stop()
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN
}

const measured = new Map<string, Start[]>()
for (const [name, start] of contenders) {
  try {
    await measure(start) // fills caches of compiled code
    measured.set(name, [])
  } catch (error) {
    print(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`)
  }
}
for (let round = 0; round < starts; round += 1) {
  for (const [name, all] of measured) {
    const start = contenders.get(name)
    if (start !== undefined) all.push(await measure(start))
  }
}
print(tableHead(columns))
for (const [server, all] of measured) {
  const row = Object.fromEntries(
    columns
      .slice(1, -1)
      .map(({ name }) => [name, median(all.map((each) => each[name as keyof Start]))]),
  )
  print(tableLine({ server, ...row, starts: all.length }, columns))
}
