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
import type { HsmKeyStores } from '../keystores/hsm/hsm.ts'
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
  readonly hsmKeyStores: Pick<HsmKeyStores, 'connect'>
}

/**
 * Key stores handled at once. A connection takes up to 250 ms; to an HSM that hangs, ten seconds for each of
 * up to three steps, in which other jobs wait.
 */
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
      // An attempt that a crash cut off may have moved some keys already. They go back.
      const { store: begun, end } =
        seen.type === 'AWS_CLOUDHSM'
          ? await connectHsm(seen, dependencies)
          : await connectProxy(seen, dependencies, signal)
      return inBatches(changes, begun, end, signal)
    }),
    jobOf('disconnect custom key stores', 'DISCONNECTING', (seen, signal) =>
      inBatches(changes, seen, { connection: 'DISCONNECTED' }, signal),
    ),
  ]
}

/** The end of a store's way. */
interface End {
  readonly connection: 'CONNECTED' | 'DISCONNECTED' | 'FAILED'
  readonly connectionError?: ConnectionErrorCode
  /** The password that the HSM has now. */
  readonly wrappedSecret?: Uint8Array
  readonly wrappingVersion?: number
}

interface Connected {
  /** The row as the attempt left it. */
  readonly store: CustomKeyStoreRecord
  readonly end: End
}

async function connectProxy(
  seen: CustomKeyStoreRecord,
  { externalKeyStores, keyStoreSecrets, random }: ConnectionJobsDependencies,
  signal: AbortSignal,
): Promise<Connected> {
  const { proxy } = seen
  if (proxy === undefined) throw new TypeError('an external key store has a proxy')
  const asked = { operation: 'ConnectCustomKeyStore', requestId: random.uuid() }
  const connectionError = await externalKeyStores.whyNotConnected(
    keyStoreSecrets.addressOf({ ...seen, proxy }),
    asked,
    signal,
  )
  return {
    store: seen,
    end: connectionError === undefined ? { connection: 'CONNECTED' } : failedBy(connectionError),
  }
}

async function connectHsm(
  seen: CustomKeyStoreRecord,
  { changes, hsmKeyStores }: ConnectionJobsDependencies,
): Promise<Connected> {
  let store = seen
  const outcome = await hsmKeyStores.connect(seen, async (secret) => {
    await changes.commit(async (transaction) => {
      const present = await requirePresent(transaction, seen)
      store = await transaction.updateKeyStore(present, secret)
      return [eventOf(store, 0)]
    })
  })
  return {
    store,
    end: typeof outcome === 'string' ? failedBy(outcome) : { connection: 'CONNECTED', ...outcome },
  }
}

function failedBy(connectionError: ConnectionErrorCode): End {
  return { connection: 'FAILED', connectionError }
}

/** @throws {StaleRow} if the store was deleted, or sent the other way, meanwhile */
async function requirePresent(
  transaction: Transaction,
  seen: CustomKeyStoreRecord,
): Promise<CustomKeyStoreRecord> {
  const present = await transaction.findKeyStore(seen)
  if (present?.rowVersion !== seen.rowVersion) throw new StaleRow('a key store has changed')
  return present
}

/**
 * Moves the keys that have the other states, and with the last of them the store. When it is aborted, the
 * next process moves the rest.
 */
async function inBatches(
  changes: ServiceChanges,
  seen: CustomKeyStoreRecord,
  end: End,
  signal: AbortSignal,
): Promise<void> {
  const states: readonly KeyState[] =
    end.connection === 'CONNECTED' ? ['Unavailable'] : ['Enabled', 'Disabled']
  while (!signal.aborted) {
    let moved = 0
    await changes.commit(async (transaction) => {
      const present = await requirePresent(transaction, seen)
      const keys = await transaction.listKeysInStore(seen, { states, limit: keysMax })
      for (const key of keys) await transaction.updateKey(key, moving(key))
      moved = keys.length
      // Each change has a record: a restore takes a number without one for a lost record.
      if (moved === keysMax) return [eventOf(present, moved)]
      return [eventOf(await transaction.updateKeyStore(seen, end), moved)]
    })
    if (moved < keysMax) return
  }
}

function moving({ state, connectedState = 'Disabled' }: KeyRecord): KeyChanges {
  return state === 'Enabled' || state === 'Disabled'
    ? { state: 'Unavailable', connectedState: state }
    : { state: connectedState, connectedState: undefined }
}

function eventOf(store: CustomKeyStoreRecord, keys: number): KeyStoreServiceEvent {
  const { storeId, name, connection, connectionError, cluster } = store
  const isDown = connection === 'DISCONNECTING' || connection === 'DISCONNECTED'
  return {
    eventName: isDown ? 'DisconnectCustomKeyStore' : 'ConnectCustomKeyStore',
    store,
    details: {
      customKeyStoreId: storeId,
      customKeyStoreName: name,
      ...(cluster && { clusterId: cluster.clusterId }),
      connectionState: connection,
      keysMoved: keys,
      ...(connectionError && { connectionErrorCode: connectionError }),
    },
  }
}
