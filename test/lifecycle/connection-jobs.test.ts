/** The jobs that connect key stores: over many keys, and after a crash at each step. @module */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { createConnectionJobs } from '../../src/lifecycle/connection-jobs.ts'
import type { ConnectionErrorCode, ConnectionState } from '../../src/model/custom-key-store.ts'
import type { KeyState } from '../../src/model/key.ts'
import type { Store } from '../../src/store/store.ts'
import { engines, storeOf } from '../store/engines.ts'
import {
  accountId,
  insertAccounts,
  newKey,
  newKeyStore,
  region,
  storeId,
} from '../store/records.ts'

const ref = { accountId, region, storeId }
const keyCount = 230

class Crashed extends Error {}

async function storeWithKeys(
  t: TestContext,
  open: (typeof engines)[number]['open'],
): Promise<Store> {
  const { store } = storeOf((await open(t)).database)
  await insertAccounts(store)
  await store.change(async (transaction) => {
    await transaction.insertKeyStore(newKeyStore({ connection: 'CONNECTED' }))
    for (let index = 0; index < keyCount; index += 1) {
      await transaction.insertKey(
        newKey(`k${String(index).padStart(3, '0')}`, {
          origin: 'EXTERNAL_KEY_STORE',
          customKeyStoreId: ref.storeId,
          xksKeyId: `external-${index}`,
          state: index % 3 === 0 ? 'Disabled' : 'Enabled',
        }),
      )
    }
  })
  return store
}

/** Runs the jobs until nothing is left. `commits` is how many may commit before the process "dies". */
async function runJobs(
  store: Store,
  failure: ConnectionErrorCode | undefined,
  commits = Infinity,
): Promise<readonly string[]> {
  const events: string[] = []
  let left = commits
  const jobs = createConnectionJobs({
    store,
    random: { uuid: () => 'request' },
    externalKeyStores: { whyNotConnected: async () => failure },
    hsmKeyStores: { connect: () => assert.fail('no HSM is asked') },
    keyStoreSecrets: {
      addressOf: ({ proxy, region: place }) => ({
        ...proxy,
        region: place,
        signingSecret: createSecretKey(Buffer.alloc(32)),
      }),
    },
    changes: {
      async commit(work) {
        if (left === 0) throw new Crashed()
        left -= 1
        const made = await store.change(work)
        for (const { eventName, details } of made) {
          events.push(`${eventName} ${String(details?.['connectionState'])}`)
        }
      },
    },
  })
  for (const job of jobs) while (await job.run(0, new AbortController().signal)) continue
  return events
}

async function send(store: Store, connection: ConnectionState): Promise<void> {
  await store.change(async (transaction) => {
    const found = await transaction.findKeyStore(ref)
    if (found !== undefined) await transaction.updateKeyStore(found, { connection })
  })
}

async function counted(store: Store): Promise<Readonly<Partial<Record<KeyState, number>>>> {
  const counts: Partial<Record<KeyState, number>> = {}
  for (const { state } of await store.listKeysInStore(ref, { limit: 1000 })) {
    counts[state] = (counts[state] ?? 0) + 1
  }
  return counts
}

const before = { Disabled: 77, Enabled: 153 }

for (const { name: engine, open } of engines) {
  test(`${engine}: all keys follow their store there and back, whenever the process dies`, async (t) => {
    const store = await storeWithKeys(t, open)
    assert.deepEqual(await counted(store), before)
    for (const commits of [0, 1, 2, 3]) {
      await send(store, 'DISCONNECTING')
      // Three commits are needed: with fewer the jobs are cut off, and the store is not there yet.
      const dying = runJobs(store, undefined, commits)
      if (commits < 3) {
        await assert.rejects(dying, AggregateError)
        assert.equal((await store.findKeyStore(ref))?.connection, 'DISCONNECTING')
        await runJobs(store, undefined)
      } else {
        const on = 'DisconnectCustomKeyStore DISCONNECTING'
        assert.deepEqual(await dying, [on, on, 'DisconnectCustomKeyStore DISCONNECTED'])
      }
      assert.deepEqual(await counted(store), { Unavailable: keyCount })
      assert.equal((await store.findKeyStore(ref))?.connection, 'DISCONNECTED')
      await send(store, 'CONNECTING')
      const connecting = runJobs(store, undefined, commits)
      if (commits < 3) {
        await assert.rejects(connecting, AggregateError)
        assert.equal((await store.findKeyStore(ref))?.connection, 'CONNECTING')
        await runJobs(store, undefined)
      } else {
        const on = 'ConnectCustomKeyStore CONNECTING'
        assert.deepEqual(await connecting, [on, on, 'ConnectCustomKeyStore CONNECTED'])
      }
      assert.deepEqual(await counted(store), before)
      assert.equal((await store.findKeyStore(ref))?.connection, 'CONNECTED')
    }
  })

  test(`${engine}: a connection that fails after a crash takes back the keys that it had moved`, async (t) => {
    const store = await storeWithKeys(t, open)
    await send(store, 'DISCONNECTING')
    await runJobs(store, undefined)
    await send(store, 'CONNECTING')
    await assert.rejects(runJobs(store, undefined, 1), AggregateError)
    assert.equal((await counted(store)).Unavailable, keyCount - 100)
    await runJobs(store, 'XKS_PROXY_TIMED_OUT')
    assert.equal((await store.findKeyStore(ref))?.connection, 'FAILED')
    assert.deepEqual(await counted(store), { Unavailable: keyCount })
    await send(store, 'CONNECTING')
    await runJobs(store, undefined)
    assert.deepEqual(await counted(store), before)
  })

  test(`${engine}: a connection that fails leaves the keys unavailable, and says why`, async (t) => {
    const store = await storeWithKeys(t, open)
    await send(store, 'DISCONNECTING')
    await runJobs(store, undefined)
    await send(store, 'CONNECTING')
    const events = await runJobs(store, 'XKS_PROXY_TIMED_OUT')
    assert.deepEqual(events, ['ConnectCustomKeyStore FAILED'])
    const found = await store.findKeyStore(ref)
    assert.deepEqual([found?.connection, found?.connectionError], ['FAILED', 'XKS_PROXY_TIMED_OUT'])
    assert.deepEqual(await counted(store), { Unavailable: keyCount })
  })
}
