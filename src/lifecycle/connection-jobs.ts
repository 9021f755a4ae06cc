/**
 * The jobs that connect custom key stores and end their connections. Their keys follow in batches, so a
 * store with many keys stops nobody. After a crash the next process takes up what is left.
 *
 * INVARIANT (keys of a connected store): a key is `Unavailable` unless its store is connected or its keys
 * are just on the way from one to the other; meanwhile the store's own state refuses their use.
 * @module
 */
import type { Job } from '../jobs/jobs.ts'
import type { ExternalKeyStores } from '../keystores/external/external.ts'
import type { KeyStoreSecrets } from '../keystores/external/proxy-address.ts'
import type { Random } from '../model/clock.ts'
import type {
  ConnectionErrorCode,
  ConnectionState,
  CustomKeyStoreRecord,
} from '../model/custom-key-store.ts'
import type { KeyRecord, KeyState } from '../model/key.ts'
import type { KeyStoreServiceEvent } from '../model/service-event.ts'
import { StaleRow, type Store, type Transaction } from '../store/store.ts'
import type { KeyChanges } from '../store/tables/key-rows.ts'
import type { ServiceChanges } from './service-changes.ts'

export interface ConnectionJobsDependencies {
  readonly store: Pick<Store, 'listKeyStoresIn'>
  readonly changes: ServiceChanges
  readonly random: Pick<Random, 'uuid'>
  readonly externalKeyStores: Pick<ExternalKeyStores, 'whyNotConnected'>
  readonly keyStoreSecrets: Pick<KeyStoreSecrets, 'addressOf'>
}

/** Key stores handled in one round: each connection takes up to 250 ms. */
const storesMax = 20
/** Keys that change their state in one transaction. */
const keysMax = 100

export function createConnectionJobs(dependencies: ConnectionJobsDependencies): readonly Job[] {
  const { store, changes } = dependencies
  const jobOf = (
    name: string,
    state: ConnectionState,
    act: (seen: CustomKeyStoreRecord, signal: AbortSignal) => Promise<void>,
  ): Job => ({
    name,
    async run(_now, signal) {
      const found = await store.listKeyStoresIn(state, storesMax)
      const outcomes = await Promise.allSettled(found.map((seen) => act(seen, signal)))
      const failures = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' && !(outcome.reason instanceof StaleRow)
          ? [outcome.reason as unknown]
          : [],
      )
      if (failures.length > 0) throw new AggregateError(failures, 'some key stores are left')
      return found.length === storesMax
    },
  })
  return [
    jobOf('connect custom key stores', 'CONNECTING', async (seen, signal) => {
      const failure = await whyNot(seen, dependencies, signal)
      if (failure !== undefined) {
        return changes.commit((transaction) => fail(transaction, seen, failure))
      }
      return inBatches(changes, seen, { connection: 'CONNECTED', states: ['Unavailable'] }, signal)
    }),
    jobOf('disconnect custom key stores', 'DISCONNECTING', (seen, signal) =>
      inBatches(
        changes,
        seen,
        { connection: 'DISCONNECTED', states: ['Enabled', 'Disabled'] },
        signal,
      ),
    ),
  ]
}

function whyNot(
  seen: CustomKeyStoreRecord,
  { externalKeyStores, keyStoreSecrets, random }: ConnectionJobsDependencies,
  signal: AbortSignal,
): Promise<ConnectionErrorCode | undefined> {
  const { proxy } = seen
  if (proxy === undefined) return Promise.resolve('CLUSTER_NOT_FOUND')
  const asked = { operation: 'ConnectCustomKeyStore', requestId: random.uuid() }
  return externalKeyStores.whyNotConnected(
    keyStoreSecrets.addressOf({ ...seen, proxy }),
    asked,
    signal,
  )
}

async function fail(
  transaction: Transaction,
  seen: CustomKeyStoreRecord,
  connectionError: ConnectionErrorCode,
): Promise<readonly KeyStoreServiceEvent[]> {
  const failed = await transaction.updateKeyStore(seen, { connection: 'FAILED', connectionError })
  return [eventOf(failed)]
}

/**
 * Moves the keys in these states, and with the last of them the store. When it is aborted, the next process
 * moves the rest.
 */
async function inBatches(
  changes: ServiceChanges,
  seen: CustomKeyStoreRecord,
  {
    connection,
    states,
  }: {
    readonly connection: 'CONNECTED' | 'DISCONNECTED'
    readonly states: readonly KeyState[]
  },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let moved = 0
    await changes.commit(async (transaction) => {
      // The store may have been deleted, or sent the other way, meanwhile.
      const present = await transaction.findKeyStore(seen)
      if (present?.rowVersion !== seen.rowVersion) throw new StaleRow('a key store has changed')
      const keys = await transaction.listKeysInStore(seen, { states, limit: keysMax })
      for (const key of keys) await transaction.updateKey(key, moving(key))
      moved = keys.length
      if (moved === keysMax) return []
      return [eventOf(await transaction.updateKeyStore(seen, { connection }))]
    })
    if (moved < keysMax) return
  }
}

function moving({ state, connectedState = 'Disabled' }: KeyRecord): KeyChanges {
  return state === 'Enabled' || state === 'Disabled'
    ? { state: 'Unavailable', connectedState: state }
    : { state: connectedState, connectedState: undefined }
}

function eventOf(store: CustomKeyStoreRecord): KeyStoreServiceEvent {
  const { storeId, name, connection, connectionError } = store
  const isDown = connection === 'DISCONNECTED'
  return {
    eventName: isDown ? 'DisconnectCustomKeyStore' : 'ConnectCustomKeyStore',
    store,
    details: {
      customKeyStoreId: storeId,
      customKeyStoreName: name,
      connectionState: connection,
      ...(connectionError && { connectionErrorCode: connectionError }),
    },
  }
}
