/**
 * Measures Encrypt by a user with very many grants on a key against the same call by a user with one grant, in
 * the same run of one server, while nothing changes and while grants of both users are created and revoked. Only
 * grants allow the calls. Then the first call after a start, and lists. `node bench/grants.ts [grants]`
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  CreateGrantCommand,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  RevokeGrantCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import type { GrantConstraints } from '../src/model/grant.ts'
import { clientsOf, fill, newKey, newUser, type User } from './data.ts'
import { closedLoop, eachOf } from './load.ts'
import { figures, inRounds, type Contender } from './measure.ts'
import { makeDirectory, region, startTrent, type Server } from './servers.ts'
import { createSigner, signedRequest } from './sign.ts'
import { print, tableHead, tableLine } from './table.ts'

const grants = Number(process.argv[2] ?? 50_000)
const requests = 2000
const rounds = 3
const connections = 4
const listTries = 10

/** The constraint of each of a user's grants, and the context of a call that exactly one of them allows. */
const kinds: Readonly<Record<string, (index: number) => GrantConstraints | undefined>> = {
  plain: () => undefined,
  // 18 characters.
  constrained: (index) => ({
    EncryptionContextSubset: { purpose: String(index).padStart(11, '0') },
  }),
}

interface Grantee extends User {
  readonly kind: string
  readonly keyId: string
  readonly grants: number
}

/** Two users of each kind, one with one grant and one with many, each on a separate key. */
async function makeGrantees(server: Server): Promise<readonly Grantee[]> {
  const clients = clientsOf(server)
  const made: Grantee[] = []
  for (const kind of Object.keys(kinds)) {
    for (const count of [1, grants]) {
      const user = await newUser(clients, `${kind}-${count}`)
      made.push({ ...user, kind, keyId: await newKey(clients.kms), grants: count })
    }
  }
  clients.kms.destroy()
  clients.iam.destroy()
  return made
}

/** Creates and revokes grants of the user until it is stopped, and returns the number of changes. */
function churn(kms: KMSClient, { kind, keyId: KeyId, arn }: Grantee): () => Promise<number> {
  const stopping = new AbortController()
  const work = async (): Promise<number> => {
    let changes = 0
    for (let index = grants; !stopping.signal.aborted; index += 1) {
      const Constraints = kinds[kind]?.(index)
      const { GrantId } = await kms.send(
        new CreateGrantCommand({
          KeyId,
          GranteePrincipal: arn,
          Operations: ['Encrypt', 'Decrypt', 'DescribeKey'],
          ...(Constraints && { Constraints }),
        }),
      )
      await kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
      changes += 2
    }
    return changes
  }
  const worked = work()
  return () => {
    stopping.abort()
    return worked
  }
}

let serial = 0
function contenderOf(server: Server, grantee: Grantee): Contender {
  const { credentials, kind, keyId: KeyId, grants: count } = grantee
  const { accessKeyId, secretAccessKey } = credentials
  const signer = createSigner(`127.0.0.1:${server.port}`, region, accessKeyId, secretAccessKey)
  const encrypt = (): Buffer => {
    // The only grant of the first user, and any of the many of the second.
    const index = (serial += 7919) % count
    const EncryptionContext = kinds[kind]?.(index)?.EncryptionContextSubset
    const Plaintext = randomBytes(32).toString('base64')
    const input = { KeyId, Plaintext, ...(EncryptionContext && { EncryptionContext }) }
    return signedRequest(signer, 'Encrypt', input)
  }
  return {
    name: `${kind} ${count}`,
    server,
    requests: (wanted) => Array.from({ length: wanted }, encrypt),
    ofRound: requests,
  }
}

async function measure(
  server: Server,
  grantees: ReadonlyMap<Contender, Grantee>,
  changing: boolean,
): Promise<void> {
  const { kms, iam } = clientsOf(server)
  const inTurn = [...grantees.values()]
  let turn = 0
  let changes = 0
  const totals = await inRounds([...grantees.keys()], rounds, async ({ port }, fresh) => {
    const grantee = inTurn[turn++ % inTurn.length]
    const stop = changing && grantee !== undefined && churn(kms, grantee)
    const load = await closedLoop(port, eachOf(fresh), connections)
    if (stop !== false) changes += await stop()
    return load
  })
  kms.destroy()
  iam.destroy()
  print(changing ? `\nwhile ${changes} grants are created and revoked` : '\nwhile nothing changes')
  print(tableHead())
  for (const [{ name }, total] of totals) {
    print(tableLine({ case: 'Encrypt', server: name, load: 'closed', ...figures(server, total) }))
  }
}

async function measureLists(server: Server, grantees: Iterable<Grantee>): Promise<void> {
  const { kms, iam } = clientsOf(server)
  print('\npages of 100')
  const Limit = 100
  for (const { kind, keyId: KeyId, grants: count, arn } of grantees) {
    const lists = {
      ListGrants: () => kms.send(new ListGrantsCommand({ KeyId, Limit })),
      'of one grantee': () =>
        kms.send(new ListGrantsCommand({ KeyId, Limit, GranteePrincipal: arn })),
      ListRetirableGrants: () =>
        kms.send(new ListRetirableGrantsCommand({ RetiringPrincipal: arn, Limit })),
    }
    const times: string[] = []
    for (const [name, list] of Object.entries(lists)) {
      const from = performance.now()
      for (let tries = 0; tries < listTries; tries += 1) await list()
      times.push(`${name} ${((performance.now() - from) / listTries).toFixed(1)} ms`)
    }
    print(`${kind.padEnd(12)} ${String(count).padStart(7)}  ${times.join(', ')}`)
  }
  kms.destroy()
  iam.destroy()
}

const data = join(makeDirectory(), 'data')
const empty = await startTrent(data)
const made = await makeGrantees(empty)
await empty.stop()
const filled = made.map(({ kind, keyId, grants: count, arn, userId }) => {
  const constraints = kinds[kind] ?? (() => undefined)
  return { keyId, count, grantee: () => [arn, userId] as const, constraints }
})
await fill(data, [], filled)
const full = await startTrent(data)
const grantees = new Map(made.map((each) => [contenderOf(full, each), each]))
print('first call after a start')
for (const { name, requests: fresh } of grantees.keys()) {
  const { latencies } = await closedLoop(full.port, eachOf(fresh(1)), 1)
  print(`${name.padEnd(20)} ${latencies.percentile(0.5).toFixed(1)} ms`)
}
// The server reads the sets in the background during these calls.
for (const { requests: fresh } of grantees.keys()) {
  await closedLoop(full.port, eachOf(fresh(requests)), connections)
}
await measure(full, grantees, false)
await measure(full, grantees, true)
await measureLists(full, grantees.values())
await full.stop()
