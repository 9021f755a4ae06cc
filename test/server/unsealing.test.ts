/** A sealed node while other nodes make the root key, or replace it or one of its seals. @module */
import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openKeyring } from '../../src/crypto/domain-keys.ts'
import {
  openAlone,
  SealRefused,
  SealStopped,
  SealUnavailable,
  unattended,
  type Seal,
} from '../../src/seals/seal.ts'
import { openRecord, sealRecord } from '../../src/seals/sealed-record.ts'
import { shamirSeal } from '../../src/seals/shamir.ts'
import { makeDeployment } from '../../src/server/root-key.ts'
import type { SealState, Unsealing } from '../../src/server/unseal-parts.ts'
import { createUnsealing } from '../../src/server/unsealing.ts'
import type { Database } from '../../src/store/database.ts'
import { openDatabase } from '../../src/store/open.ts'
import { readDeployment } from '../../src/store/tables/deployment.ts'
import { nodes } from '../../src/store/schema/nodes.ts'
import { adoptSeal, putNextSeal } from '../../src/store/tables/other-seals.ts'
import { realRandom } from '../crypto/fixed.ts'
import { temporaryFolder } from '../store/engines.ts'

const bounded = { timeout: 30_000 }
const clock = { now: () => 1, system: () => 1 }
const two = { shares: 2, threshold: 2 }

interface Device {
  readonly seal: Seal
  /** What each attempt to open does. */
  answer: () => Promise<void>
  attempts: number
  attemptsAtOnceMax: number
}

/** A seal that opens by itself, if the test lets it. */
function device(): Device {
  const key = randomBytes(32)
  let atOnce = 0
  const made: Device = {
    answer: async () => undefined,
    attempts: 0,
    attemptsAtOnceMax: 0,
    seal: {
      kind: 'kms',
      asks: 'nothing',
      startsAlone: false,
      async seal(rootKey, deploymentId) {
        const header = { kind: 'kms', id: realRandom.uuid() } as const
        const sealKey = createSecretKey(key)
        return { record: sealRecord(sealKey, header, rootKey, deploymentId, realRandom) }
      },
      open: (record, deploymentId) =>
        unattended(async () => {
          made.attempts += 1
          atOnce += 1
          made.attemptsAtOnceMax = Math.max(made.attemptsAtOnceMax, atOnce)
          try {
            await made.answer()
            return openRecord(createSecretKey(key), record, deploymentId)
          } finally {
            atOnce -= 1
          }
        }),
    },
  }
  return made
}

const failing = (error: Error) => async (): Promise<never> => {
  throw error
}

async function openedDatabase(t: TestContext): Promise<Database> {
  const database = await openDatabase({ path: join(temporaryFolder(t), 'trent.db') })
  t.after(() => database.close())
  return database
}

/** Another node. It has the root key, and changes its seals in the database. */
interface OtherNode {
  /** Makes a recovery seal, in place of the former one, and returns its shares. */
  readonly recover: () => Promise<readonly string[]>
  /** Replaces the current seal, and returns the shares of the new one. */
  readonly replace: (by: Seal) => Promise<readonly string[]>
}

async function otherNode(database: Database, { seal }: Device): Promise<OtherNode> {
  const { record } = await makeDeployment({ database, seal, clock, random: realRandom })
  const { deploymentId } = record
  const rootKey = await openAlone(seal, record.seal.sealedRootKey, deploymentId)
  const keyring = openKeyring(rootKey, deploymentId, record.domainKeys, realRandom)
  const adopted = async (role: 'next-recovery' | 'next', by: Seal): Promise<readonly string[]> => {
    const { record: proved, shares = [] } = await by.seal(rootKey.export(), deploymentId, two)
    const opened = (await readDeployment(database))?.seal.sealedRootKey ?? assert.fail()
    const next = { role, kind: by.kind, sealedRootKey: proved, createdAt: 1 }
    await putNextSeal(database, next, { opened, keyring })
    const dropRecovery = role === 'next' && by.asks !== 'nothing'
    await adoptSeal(database, { role, proved, keyring, dropRecovery })
    return shares
  }
  return {
    recover: () => adopted('next-recovery', shamirSeal(realRandom)),
    replace: (by) => adopted('next', by),
  }
}

interface SealedNode extends Unsealing {
  readonly giveText: (share: string | undefined) => Promise<SealState>
}

function sealedNode(t: TestContext, database: Database, seal: Seal): SealedNode {
  const log = { warn: () => undefined }
  const unsealing = createUnsealing({ database, seal, clock, random: realRandom, log })
  t.after(() => unsealing.close())
  return {
    ...unsealing,
    giveText: (share = assert.fail()) => unsealing.give(Buffer.from(share), 'alice'),
  }
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await delay(10)
}

const hasFailed = (node: SealedNode): Promise<void> =>
  until(async () => (await node.state()).reason !== undefined)

const share = 'not a share'

test('a seal that is away is tried once at a time, whoever gives shares', bounded, async (t) => {
  const database = await openedDatabase(t)
  const kms = device()
  const other = await otherNode(database, kms)
  kms.attempts = 0
  const answer = Promise.withResolvers<never>()
  kms.answer = () => answer.promise
  const node = sealedNode(t, database, kms.seal)
  await until(() => kms.attempts === 1)
  await other.replace(kms.seal)
  const given = await Promise.allSettled([1, 2, 3].map(() => node.giveText(share)))
  assert.ok(given.every(({ status }) => status === 'rejected'))
  assert.equal(kms.attempts, 1)
  kms.answer = async () => undefined
  answer.reject(new SealUnavailable('away'))
  const { by } = await node.opened
  assert.deepEqual([by, kms.attempts, kms.attemptsAtOnceMax], [undefined, 2, 1])
})

test('a seal that could lock is not tried again, even with another record', bounded, async (t) => {
  const database = await openedDatabase(t)
  const hsm = device()
  const other = await otherNode(database, hsm)
  const shares = await other.recover()
  hsm.attempts = 0
  hsm.answer = failing(new SealStopped('the PIN is wrong'))
  const node = sealedNode(t, database, hsm.seal)
  await hasFailed(node)
  await other.replace(hsm.seal)
  await assert.rejects(node.giveText(share), SealRefused)
  await node.giveText(shares[0])
  await node.giveText(shares[1])
  assert.equal((await node.opened).by?.role, 'recovery')
  assert.equal(hsm.attempts, 1)
})

for (const failure of [new SealUnavailable('away'), new SealStopped('the PIN is wrong')]) {
  const { name } = failure.constructor

  test(`after ${name}, only the recovery seal of now opens`, bounded, async (t) => {
    const database = await openedDatabase(t)
    const hsm = device()
    const other = await otherNode(database, hsm)
    const former = await other.recover()
    hsm.answer = failing(failure)
    const node = sealedNode(t, database, hsm.seal)
    await hasFailed(node)
    assert.deepEqual((await node.giveText(former[0])).given, [1])
    const shares = await other.recover()
    await assert.rejects(node.giveText(former[1]), /is of another seal/)
    assert.partialDeepStrictEqual(await node.state(), { opensWith: 'recovery', given: [] })
    await node.giveText(shares[1])
    // Another record of the same root key forgets nothing.
    await other.replace(hsm.seal)
    await node.giveText(shares[0])
    const { by } = await node.opened
    assert.deepEqual([by?.role, by?.set, by?.refused], ['recovery', shares[0]?.split(':')[2], 1])
  })

  test(`after ${name}, a recovery seal is asked for while there is one`, bounded, async (t) => {
    const database = await openedDatabase(t)
    const hsm = device()
    const other = await otherNode(database, hsm)
    hsm.answer = failing(failure)
    const node = sealedNode(t, database, hsm.seal)
    await hasFailed(node)
    await assert.rejects(node.giveText(share), /has no recovery seal; `trent status` says why/)
    const former = await other.recover()
    await node.giveText(former[0])
    // As a new root key does it.
    await database.query.deleteFrom('other_seals').where('role', '=', 'recovery').execute()
    await assert.rejects(node.giveText(former[1]), /has no recovery seal/)
    const shares = await other.recover()
    for (const each of shares) await node.giveText(each)
    assert.equal((await node.opened).by?.role, 'recovery')
  })
}

test('shares of a seal that another node replaced open nothing', bounded, async (t) => {
  const database = await openedDatabase(t)
  const other = await otherNode(database, device())
  const former = await other.replace(shamirSeal(realRandom))
  const node = sealedNode(t, database, shamirSeal(realRandom))
  assert.deepEqual((await node.giveText(former[0])).given, [1])
  const shares = await other.replace(shamirSeal(realRandom))
  await assert.rejects(node.giveText(former[1]), /is of another seal/)
  assert.deepEqual((await node.state()).given, [])
  for (const each of shares) await node.giveText(each)
  assert.equal((await node.opened).by?.set, shares[0]?.split(':')[2])
})

test('a node with the settings of a former seal ends, and takes no share', bounded, async (t) => {
  const database = await openedDatabase(t)
  const kms = device()
  const other = await otherNode(database, kms)
  const former = await other.replace(shamirSeal(realRandom))
  const node = sealedNode(t, database, shamirSeal(realRandom))
  await node.giveText(former[0])
  await other.replace(kms.seal)
  await assert.rejects(node.giveText(former[1]), /the server is stopping/)
  await assert.rejects(node.opened, /sealed by kms, and TRENT_SEAL is shamir: set TRENT_SEAL/)
  assert.equal(node.isOpen(), false)
})

test('a node finds the root key that another one makes, and opens it once', bounded, async (t) => {
  const database = await openedDatabase(t)
  const kms = device()
  const node = sealedNode(t, database, kms.seal)
  await assert.rejects(node.giveText(share), /no root key yet: `trent init` makes it/)
  await otherNode(database, kms)
  kms.attempts = 0
  const { deployment } = await node.opened
  assert.equal(deployment.deploymentId, (await readDeployment(database))?.deploymentId)
  assert.equal(kms.attempts, 1)
  await assert.rejects(node.giveText(share), /the server is not sealed/)
})

test(
  'a root key that a node has opened is not made anew, even before the first account',
  bounded,
  async (t) => {
    const database = await openedDatabase(t)
    const [a, b] = [shamirSeal(realRandom), shamirSeal(realRandom)].map((seal) =>
      sealedNode(t, database, seal),
    )
    assert.ok(a && b)
    await a.initialize(two, 'alice')
    await b.initialize(two, 'bob') // nobody has opened the first one
    const { deploymentId } = (await readDeployment(database)) ?? assert.fail()
    const node = {
      nodeId: realRandom.uuid(),
      name: 'b',
      deploymentId,
      state: 'serving',
      firstSeen: 1,
      confirmedAt: 1,
      reachedAt: 1,
      clockOffset: 0,
      appliedSeq: 0,
      appliedId: '',
      oldestKey: 1,
      knownKey: 1,
      currentKey: 1,
      positions: [],
      rowVersion: 1,
    }
    const row = { ...nodes.toRow(node), row_tag: new Uint8Array() }
    await database.query.insertInto('nodes').values(row).execute()
    await assert.rejects(
      a.initialize(two, 'alice'),
      /has its root key already: `trent unseal` opens it/,
    )
    assert.equal((await readDeployment(database))?.deploymentId, deploymentId)
  },
)
