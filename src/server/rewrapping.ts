/**
 * Wraps everything anew that an older domain key protects, in the background: passes over all tables,
 * until one finds nothing. Each batch is one transaction, and rests follow, so that calls go on as usual.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { rewrapDigestKey } from '../audit/delivery/digest-keys.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { rewrapStoreSecret } from '../crypto/key-store-secret.ts'
import { rewrapProxyCredential } from '../crypto/proxy-credential.ts'
import { rewrapMaterial } from '../crypto/material.ts'
import { rewrapSecret, wrappedServiceSecret } from '../crypto/secrets.ts'
import type { FormerRoots } from '../operations/contract/seal-controls.ts'
import type { ServiceChanges } from '../lifecycle/service-changes.ts'
import type { OwnServiceEvent } from '../model/service-event.ts'
import {
  protectedTables,
  type OlderPage,
  type Rewrap,
  type RewrappedPage,
} from '../store/tables/older-rows.ts'

export interface Rewrapping {
  /** Begins the passes. */
  readonly begin: () => void
  readonly progress: () => Pick<FormerRoots, 'rewrapped' | 'table' | 'tablesLeft'> & {
    readonly state: 'rewrapping' | 'rewrapped'
  }
  /** One pass without rests. Returns the number of rows that it wrapped anew. */
  readonly passAtOnce: () => Promise<number>
  /** Waits for the current batch; nothing runs after it. */
  readonly close: () => Promise<void>
}

/** Rows in one transaction. A row can contain 32 KiB of policy, which takes 0.1 ms to hash. */
const batchRows = 50
/** The rest after a batch, as a multiple of its time: the work has a quarter of the time at most. */
const restShare = 3
const restMsMax = 1000
const retryMs = 1000

interface RewrappingDependencies {
  readonly changes: ServiceChanges
  /** The account and Region of the records. */
  readonly place: Pick<OwnServiceEvent, 'accountId' | 'region'>
  readonly keyring: Keyring
  /** One of several nodes wraps, and when it is done, the next one looks whether it did. */
  readonly lease: {
    readonly take: () => Promise<boolean>
    readonly release: () => Promise<unknown>
  }
  readonly log: Pick<Logger, 'info' | 'warn'>
}

export function createRewrapping(dependencies: RewrappingDependencies): Rewrapping {
  const passes = new Passes(dependencies)
  let running: Promise<void> | undefined
  return {
    begin: () => {
      running ??= passes.run()
    },
    progress: () => passes.progress(),
    passAtOnce: () => passes.pass(async () => undefined),
    close: async () => {
      passes.closing.abort()
      await running
    },
  }
}

class Passes {
  readonly closing = new AbortController()
  readonly #dependencies: RewrappingDependencies
  readonly #rewrap: Rewrap
  #rewrapped = 0
  /** The table that is being read; undefined once a pass has found nothing. */
  #table: string | undefined = protectedTables[0]

  constructor(dependencies: RewrappingDependencies) {
    this.#dependencies = dependencies
    this.#rewrap = rewrapBy(dependencies.keyring)
  }

  progress(): ReturnType<Rewrapping['progress']> {
    const rewrapped = this.#rewrapped
    const table = this.#table
    if (table === undefined) return { state: 'rewrapped', rewrapped }
    const tablesLeft = protectedTables.length - protectedTables.indexOf(table) - 1
    return { state: 'rewrapping', rewrapped, table, tablesLeft }
  }

  /** Passes until one finds nothing. */
  async run(): Promise<void> {
    const { lease, log } = this.#dependencies
    const { signal } = this.closing
    const rest = (ms: number): Promise<unknown> =>
      delay(ms, undefined, { signal, ref: false }).catch(() => undefined)
    // A pass can take longer than the lease holds.
    const restAndHold = (ms: number): Promise<unknown> => rest(ms).then(() => lease.take())
    while (!signal.aborted) {
      try {
        if (!(await lease.take())) {
          await rest(retryMs)
          continue
        }
        if ((await this.pass(restAndHold)) > 0 || signal.aborted) continue
        this.#table = undefined
        await lease.release()
        log.info({ rows: this.#rewrapped }, 'everything is under the current root key')
        return
      } catch (error) {
        if (signal.aborted) return
        log.warn({ err: error }, 'wrapping anew under the current root key is tried again')
        await rest(retryMs)
      }
    }
  }

  /** Returns the number of rows that it wrapped anew. */
  async pass(rest: (ms: number) => Promise<unknown>): Promise<number> {
    let found = 0
    for (const table of protectedTables) {
      if (this.#table !== undefined) this.#table = table
      let after: OlderPage['after']
      do {
        const since = performance.now()
        const done = await this.#batch(table, after)
        found += done.rewrapped
        this.#rewrapped += done.rewrapped
        after = done.last
        await rest(Math.min(restShare * (performance.now() - since), restMsMax))
        // A part of a pass proves nothing.
        this.closing.signal.throwIfAborted()
      } while (after !== undefined)
    }
    return found
  }

  async #batch(table: string, after: OlderPage['after']): Promise<RewrappedPage> {
    const { changes, place, keyring } = this.#dependencies
    const page = {
      table,
      limit: batchRows,
      version: keyring.newestVersion,
      rewrap: this.#rewrap,
      ...(after && { after }),
    }
    let done: RewrappedPage = { rewrapped: 0, isNumbered: false }
    await changes.commit(async (transaction) => {
      done = await transaction.rewrapRows(page)
      if (!done.isNumbered) return []
      // Each numbered change has a record: a restore takes a number without one for a lost record.
      const details = { table, rows: done.rewrapped, keyVersion: page.version }
      return [{ eventName: 'RewrapData', ...place, details }]
    })
    return done
  }
}

function rewrapBy(keyring: Keyring): Rewrap {
  return {
    material: (record) => rewrapMaterial(keyring, record),
    accessKey: (record) => rewrapSecret(keyring, record),
    service: (record) => rewrapSecret(keyring, wrappedServiceSecret(record)),
    keyStore: (record) => rewrapStoreSecret(keyring, record),
    proxyCredential: (record) => rewrapProxyCredential(keyring, record),
    digestKey: (record) => rewrapDigestKey(keyring, record),
  }
}
