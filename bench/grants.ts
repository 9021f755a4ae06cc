/**
 * Measures Encrypt by a user with very many grants on a key against the same call by a user with one grant, in
 * the same run of one server, while grants of both users are created and revoked. `node bench/grants.ts [grants]`.
 * The result is the last column: the p99 as a multiple of the p99 with one grant. Only grants allow the calls.
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  KMSClient,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { systemRandom } from '../src/crypto/entropy.ts'
import { keyringOf } from '../src/crypto/domain-keys.ts'
import { openDeployment } from '../src/server/first-start.ts'
import { createClock } from '../src/jobs/clock.ts'
import type { GrantConstraints } from '../src/model/grant.ts'
import { openFileSeal } from '../src/seals/file.ts'
import { createStore } from '../src/store/bound-store.ts'
import { openDatabase } from '../src/store/open.ts'
import type { Latencies } from './latencies.ts'
import { closedLoop } from './load.ts'
import { createSigner, signedRequest, type Signer } from './sign.ts'

const grants = Number(process.argv[2] ?? 50_000)
const accountId = '111122223333'
const region = 'us-west-2'
const root = { accessKeyId: 'bench', secretAccessKey: randomBytes(24).toString('hex') }
const requests = 2000
const rounds = 3
const connections = 4
const grantsInTransaction = 500

/** The constraint of each of a user's grants, and the context of a call that exactly one of them allows. */
const kinds: Readonly<Record<string, (index: number) => GrantConstraints | undefined>> = {
  plain: () => undefined,
  // 18 characters.
  constrained: (index) => ({
    EncryptionContextSubset: { purpose: String(index).padStart(11, '0') },
  }),
}

const directory = await mkdtemp(join(tmpdir(), 'trent-grants-'))
const print = (line: string): void => void process.stdout.write(`${line}\n`)

interface Started {
  readonly child: ChildProcess
  readonly port: number
}

let running: ChildProcess | undefined

async function start(): Promise<Started> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/main.ts'), 'serve'], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'],
      TRENT_LISTEN: '127.0.0.1:0',
      TRENT_DATA_DIR: directory,
      TRENT_ACCOUNT_ID: accountId,
      TRENT_ROOT_ACCESS_KEY_ID: root.accessKeyId,
      TRENT_ROOT_SECRET_ACCESS_KEY: root.secretAccessKey,
      TRENT_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running = child
  for await (const line of createInterface({ input: child.stdout })) {
    const [, port] = /http:\/\/[\d.]+:(\d+)/.exec(line) ?? []
    if (port === undefined) continue
    child.stdout.resume()
    return { child, port: Number(port) }
  }
  throw new Error('the server ended before it was ready')
}

async function stop({ child }: Started): Promise<void> {
  const exited = new Promise((resolve) => {
    child.once('exit', resolve)
  })
  child.kill('SIGTERM')
  await exited
}

interface User {
  readonly arn: string
  readonly userId: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly kind: string
  readonly keyId: string
  readonly grants: number
}

/** Two users of each kind, one with one grant and one with many, each on a separate key. */
async function makeUsers({ port }: Started): Promise<readonly User[]> {
  const endpoint = `http://127.0.0.1:${port}`
  const kms = new KMSClient({ endpoint, region, credentials: root })
  const iam = new IAMClient({ endpoint, region, credentials: root })
  const users: User[] = []
  for (const kind of Object.keys(kinds)) {
    for (const count of [1, grants]) {
      const UserName = `${kind}-${count}`
      const { User } = await iam.send(new CreateUserCommand({ UserName }))
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
      users.push({
        arn: User?.Arn ?? '',
        userId: User?.UserId ?? '',
        accessKeyId: AccessKey?.AccessKeyId ?? '',
        secretAccessKey: AccessKey?.SecretAccessKey ?? '',
        kind,
        keyId: KeyMetadata?.KeyId ?? '',
        grants: count,
      })
    }
  }
  kms.destroy()
  iam.destroy()
  return users
}

async function fill(users: readonly User[]): Promise<void> {
  const database = await openDatabase({ path: join(directory, 'trent.db') })
  const seal = await openFileSeal(join(directory, 'seal.key'), systemRandom)
  const clock = createClock()
  const { deploymentId, domainKeys } = await openDeployment({
    database,
    seal,
    clock,
    random: systemRandom,
  })
  const keyring = keyringOf(deploymentId, domainKeys, systemRandom)
  const store = createStore(database, keyring, {
    onForgedRow: (table) => print(`forged: ${table}`),
  })
  for (const { arn, userId, kind, keyId, grants: count } of users) {
    for (let made = 0; made < count; made += grantsInTransaction) {
      await store.change(async (transaction) => {
        for (let index = made; index < Math.min(count, made + grantsInTransaction); index += 1) {
          const constraints = kinds[kind]?.(index)
          await transaction.insertGrant({
            accountId,
            region,
            keyId,
            grantId: randomBytes(32).toString('hex'),
            granteePrincipal: arn,
            granteeId: userId,
            retiringPrincipal: arn,
            retiringId: userId,
            issuingAccountId: accountId,
            operations: ['Encrypt', 'Decrypt', 'DescribeKey'],
            ...(constraints && { constraints }),
            createdAt: clock.now(),
          })
        }
      })
    }
  }
  await database.close()
}

/** Creates and revokes grants of the user until it is stopped, and returns the number of changes. */
function churn(kms: KMSClient, user: User): () => Promise<number> {
  const stopping = new AbortController()
  const work = async (): Promise<number> => {
    let changes = 0
    for (let index = grants; !stopping.signal.aborted; index += 1) {
      const Constraints = kinds[user.kind]?.(index)
      const { GrantId } = await kms.send(
        new CreateGrantCommand({
          KeyId: user.keyId,
          GranteePrincipal: user.arn,
          Operations: ['Encrypt', 'Decrypt', 'DescribeKey'],
          ...(Constraints && { Constraints }),
        }),
      )
      await kms.send(new RevokeGrantCommand({ KeyId: user.keyId, GrantId }))
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
function encryptsOf(user: User, host: string, count: number): Buffer[] {
  const signer: Signer = createSigner(host, region, user.accessKeyId, user.secretAccessKey)
  return Array.from({ length: count }, () => {
    // The only grant of the first user, and any of the many of the second.
    const index = (serial += 7919) % user.grants
    const EncryptionContext = kinds[user.kind]?.(index)?.EncryptionContextSubset
    return signedRequest(signer, 'Encrypt', {
      KeyId: user.keyId,
      Plaintext: randomBytes(32).toString('base64'),
      ...(EncryptionContext && { EncryptionContext }),
    })
  })
}

/** The median of some rounds, by p99; users take turns, so that all run under the same load of the machine. */
async function measure(server: Started, users: readonly User[], changing: boolean): Promise<void> {
  const endpoint = `http://127.0.0.1:${server.port}`
  const kms = new KMSClient({ endpoint, region, credentials: root })
  const host = `127.0.0.1:${server.port}`
  const runs = new Map<User, Latencies[]>(users.map((user) => [user, []]))
  let changes = 0
  for (let round = 0; round < rounds; round += 1) {
    for (const user of users) {
      const stopped = changing ? churn(kms, user) : (): Promise<number> => Promise.resolve(0)
      const load = await closedLoop(server.port, encryptsOf(user, host, requests), connections)
      runs.get(user)?.push(load.latencies)
      changes += await stopped()
    }
  }
  kms.destroy()
  print(changing ? `\nwhile ${changes} grants are created and revoked` : '\nwhile nothing changes')
  print(`${'constraints'.padEnd(14)} ${'grants'.padStart(7)}   p50 ms   p99 ms   p99 × one grant`)
  const median = (user: User): Latencies | undefined =>
    runs.get(user)?.toSorted((one, other) => one.percentile(0.99) - other.percentile(0.99))[
      Math.floor(rounds / 2)
    ]
  for (const user of users) {
    const single = users.find(({ kind, grants: count }) => kind === user.kind && count === 1)
    const [p50, p99] = [0.5, 0.99].map((share) => median(user)?.percentile(share) ?? 0) as [
      number,
      number,
    ]
    const floor = (single && median(single)?.percentile(0.99)) ?? 0
    const cells = [p50.toFixed(2).padStart(8), p99.toFixed(2).padStart(8)]
    const ratio = (p99 / floor).toFixed(2).padStart(17)
    print(`${user.kind.padEnd(14)} ${String(user.grants).padStart(7)} ${cells.join(' ')} ${ratio}`)
  }
}

/** The first call of each user after a start. */
async function measureFirst(server: Started, users: readonly User[]): Promise<void> {
  print('\nfirst call after a start')
  const host = `127.0.0.1:${server.port}`
  for (const user of users) {
    const { latencies } = await closedLoop(server.port, encryptsOf(user, host, 1), 1)
    print(
      `${user.kind.padEnd(14)} ${String(user.grants).padStart(7)} ${latencies.percentile(0.5).toFixed(1)} ms`,
    )
  }
}

async function measureLists({ port }: Started, users: readonly User[]): Promise<void> {
  const endpoint = `http://127.0.0.1:${port}`
  const kms = new KMSClient({ endpoint, region, credentials: root })
  print('\npages of 100')
  for (const { kind, keyId: KeyId, grants: count, arn: RetiringPrincipal } of users) {
    const lists = [
      () => kms.send(new ListGrantsCommand({ KeyId, Limit: 100 })),
      () =>
        kms.send(new ListGrantsCommand({ KeyId, Limit: 100, GranteePrincipal: RetiringPrincipal })),
      () => kms.send(new ListRetirableGrantsCommand({ RetiringPrincipal, Limit: 100 })),
    ]
    const times: string[] = []
    for (const list of lists) {
      const from = performance.now()
      for (let tries = 0; tries < 10; tries += 1) await list()
      times.push(`${((performance.now() - from) / 10).toFixed(1)} ms`)
    }
    print(
      `${kind.padEnd(14)} ${String(count).padStart(7)} ListGrants ${times[0]}, of one grantee ` +
        `${times[1]}, ListRetirableGrants ${times[2]}`,
    )
  }
  kms.destroy()
}

try {
  const empty = await start()
  const users = await makeUsers(empty)
  await stop(empty)
  const from = performance.now()
  await fill(users)
  print(`filled in ${((performance.now() - from) / 1000).toFixed(0)} s`)
  const full = await start()
  await measureFirst(full, users)
  // The server reads the sets in the background during these calls.
  for (const user of users) {
    const host = `127.0.0.1:${full.port}`
    await closedLoop(full.port, encryptsOf(user, host, requests), connections)
  }
  await measure(full, users, false)
  await measure(full, users, true)
  await measureLists(full, users)
  await stop(full)
} finally {
  // A server that is left after a failure.
  running?.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
}
