/** Request quotas that two nodes on one database in PostgreSQL share. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ListAliasesCommand } from '@aws-sdk/client-kms'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { refusedWith, startNode, type Node } from './node-process.ts'
import { temporaryFolder } from './serve-process.ts'

const [version = 0] = testedVersions
const rate = 20

/** Calls the nodes in turn for a time, faster than the quota. @returns the number of calls that passed */
async function passedIn(seconds: number, nodes: readonly Node[]): Promise<number> {
  const until = performance.now() + seconds * 1000
  let passed = 0
  while (performance.now() < until) {
    const outcomes = await Promise.all(
      nodes.map(({ client }) => refusedWith(client.send(new ListAliasesCommand({ Limit: 1 })))),
    )
    for (const outcome of outcomes) {
      if (outcome === 'no error') passed += 1
      else assert.equal(outcome, 'ThrottlingException')
    }
    await sleep(15)
  }
  return passed
}

test(
  'two nodes together allow what one allows, and a client on one of them gets it',
  { skip },
  async (t) => {
    const { url } = await testDatabase(t, version)
    const settings = {
      TRENT_DATABASE_URL: url,
      TRENT_SEAL: `file:${join(temporaryFolder(t), 'seal.key')}`,
      TRENT_QUOTAS: 'aws',
      TRENT_QUOTA_OVERRIDES: `ListAliases=${rate}`,
    }
    const a = await startNode(t, settings)
    const b = await startNode(t, settings)
    const nodes = [a, b]
    await sleep(1500) // the first node sees the second
    const together = await passedIn(4, nodes)
    // A bucket holds one second's worth, and each node lets one through at a time.
    assert(together <= 1.1 * 5 * rate + nodes.length, `${together} on both`)
    assert(together >= 0.7 * 4 * rate, `${together} on both`)
    for (const node of [a, b]) {
      await passedIn(3, [node])
      const alone = await passedIn(2, [node])
      assert(alone >= 0.9 * 2 * rate, `${alone} on one`)
    }
  },
)
