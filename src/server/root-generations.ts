/**
 * Generations of the root key of a running server. A new root key comes with a new domain key. All threads
 * learn the domain key, then all turn to it, and then everything under older ones is wrapped anew in the
 * background. When nothing is left, an operator can retire the former root keys.
 *
 * The database alone says how far the work is: a row names the domain key that protects it. So a start
 * after a crash begins the pass again, and skips what is done.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import type { Logger } from 'pino'
import {
  createDomainKey,
  openDomainKeys,
  turnKeys,
  wrapDomainKey,
  type KeyringStep,
  type OpenDomainKey,
  type TurningKeyring,
} from '../crypto/domain-keys.ts'
import type { OpenDeployment } from '../crypto/open-deployment.ts'
import type { GrantReader } from '../cache/grant-reader.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { FormerRoots, RetiredRoots, SealStatus } from '../operations/contract/seal-controls.ts'
import type { ServiceChanges } from '../lifecycle/service-changes.ts'
import { createTurns } from '../pipeline/turns.ts'
import { SealRefused } from '../seals/seal.ts'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import { readDeployment } from '../store/tables/deployment.ts'
import { adoptRoot } from '../store/tables/root-generations.ts'
import type { FirstAccount } from './first-start.ts'
import { createRewrapping, type Rewrapping } from './rewrapping.ts'
import type { Workers } from './workers/workers.ts'

export interface RootGenerations {
  /** The domain keys that are open now. */
  readonly deployment: () => OpenDeployment
  /**
   * Puts a root key in force, and begins to wrap everything anew.
   * @param proved the record that sealed it, in the role `next-root`
   */
  readonly adopt: (rootKey: KeyObject, proved: Uint8Array) => Promise<void>
  /** @throws {SealRefused} while something is under the former root keys */
  readonly retire: (endSessions: boolean) => Promise<RetiredRoots>
  readonly status: () => Promise<Pick<SealStatus, 'generation' | 'former'>>
  /** Goes on with what an earlier process began to wrap anew. Call it once, before the server listens. */
  readonly begin: (changes: ServiceChanges) => void
  /** Waits for the batch that is being wrapped. */
  readonly close: () => Promise<void>
}

/** The longest life of a session or of an import token. */
const tokensLiveMs = 36 * 60 * 60 * 1000

export interface GenerationDependencies {
  readonly database: Database
  readonly store: Pick<Store, 'change'>
  readonly deployment: OpenDeployment
  readonly keyring: TurningKeyring
  readonly workers: Pick<Workers, 'turnKeys'>
  readonly grantReader: Pick<GrantReader, 'turnKeys'>
  /** Rewrites the signed list of writers, which names the keys of statements. */
  readonly list: () => Promise<void>
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  /** The account and Region of the records of wrapping anew. */
  readonly firstAccount: Pick<FirstAccount, 'accountId'>
  readonly region: string
  readonly onFatal: (error: Error) => void
  readonly log: Pick<Logger, 'info' | 'warn'>
}

export function createRootGenerations(dependencies: GenerationDependencies): RootGenerations {
  const generations = new Generations(dependencies)
  const inTurn = createTurns()
  return {
    deployment: () => generations.deployment,
    adopt: (rootKey, proved) => inTurn(() => generations.adopt(rootKey, proved)),
    retire: (endSessions) => inTurn(() => generations.retire(endSessions)),
    status: () => generations.status(),
    begin: (changes) => generations.begin(changes),
    close: () => generations.close(),
  }
}

/** `adopt` and `retire` do not run at the same time. */
class Generations {
  deployment: OpenDeployment
  readonly #dependencies: GenerationDependencies
  #changes: ServiceChanges | undefined
  #rewrapping: Rewrapping | undefined

  constructor(dependencies: GenerationDependencies) {
    this.#dependencies = dependencies
    this.deployment = dependencies.deployment
  }

  async adopt(rootKey: KeyObject, proved: Uint8Array): Promise<void> {
    const { database, clock, random, list, onFatal } = this.#dependencies
    const { deploymentId, domainKeys } = this.deployment
    const created = (await this.#record()).domainKeys
    const version = Math.max(...domainKeys.map((each) => each.version)) + 1
    const added = { version, wrapped: createDomainKey(rootKey, deploymentId, version, random) }
    const opened = openDomainKeys(rootKey, deploymentId, [added])
    const createdAt = (of: OpenDomainKey): number =>
      created.find((each) => each.version === of.version)?.createdAt ?? 0
    const former = domainKeys.map((each) => ({
      version: each.version,
      wrapped: wrapDomainKey(rootKey, deploymentId, each, random),
      createdAt: createdAt(each),
    }))
    await adoptRoot(database, {
      proved,
      domainKeys: [...former, { ...added, createdAt: clock.now() }],
    })
    this.deployment = { deploymentId, domainKeys: [...domainKeys, ...opened] }
    try {
      for (const domainKey of opened) await this.#everywhere({ step: 'learn', domainKey })
      // Verifiers must know the key before it signs a checkpoint.
      await list()
      await this.#everywhere({ step: 'turn' })
    } catch (cause) {
      // The new root key is in force, and some threads may not know it: a start opens it everywhere.
      const error = new Error('a thread did not turn to the new root key', { cause })
      onFatal(error)
      throw error
    }
    this.#beginPasses()
  }

  async retire(endSessions: boolean): Promise<RetiredRoots> {
    const { store, keyring, list, clock } = this.#dependencies
    const { deploymentId, domainKeys } = this.deployment
    const older = domainKeys.filter(({ version }) => version < keyring.newestVersion)
    const { generation, former } = await this.status()
    if (older.length === 0 || former === undefined) {
      throw new SealRefused('there is no former root key: `trent rotate-root` makes a new one')
    }
    if (former.state === 'rewrapping') {
      throw new SealRefused(
        'data is still under a former root key: `trent status` shows how far it is',
      )
    }
    if (!endSessions && Date.parse(former.sessionsEnd) > clock.now()) {
      throw new SealRefused(
        `sessions may be under a former root key until ${former.sessionsEnd}: retire it then, or end ` +
          'them with --end-sessions',
      )
    }
    // A transaction that was open when the threads turned may have written after the pass.
    if (((await this.#rewrapping?.passAtOnce()) ?? 0) > 0) {
      throw new SealRefused('data was under a former root key until now: try again')
    }
    const keys = keyring.statementKeys.filter(({ version }) => version < keyring.newestVersion)
    await store.change((transaction) =>
      transaction.retireGenerations({ version: keyring.newestVersion, keys }),
    )
    await this.#rewrapping?.close()
    this.#rewrapping = undefined
    const remaining = domainKeys.filter(({ version }) => version === keyring.newestVersion)
    this.deployment = { deploymentId, domainKeys: remaining }
    await this.#everywhere({ step: 'forget-older' })
    await list()
    return { generation, retired: older.length }
  }

  async status(): Promise<Pick<SealStatus, 'generation' | 'former'>> {
    const { seal, domainKeys } = await this.#record()
    const generations = this.deployment.domainKeys.length - 1
    const { generation } = seal
    if (generations === 0 || this.#rewrapping === undefined) return { generation }
    const turned = domainKeys.at(-1)?.createdAt ?? 0
    const former: FormerRoots = {
      generations,
      ...this.#rewrapping.progress(),
      sessionsEnd: new Date(turned + tokensLiveMs).toISOString(),
    }
    return { generation, former }
  }

  async close(): Promise<void> {
    await this.#rewrapping?.close()
  }

  begin(changes: ServiceChanges): void {
    this.#changes = changes
    if (this.deployment.domainKeys.length > 1) this.#beginPasses()
  }

  #beginPasses(): void {
    const { firstAccount, region, keyring, log } = this.#dependencies
    const changes = this.#changes
    if (changes === undefined) throw new Error('`begin` was not called')
    const before = this.#rewrapping?.close()
    const place = { accountId: firstAccount.accountId, region }
    const rewrapping = createRewrapping({ changes, place, keyring, log })
    this.#rewrapping = rewrapping
    void Promise.resolve(before).then(() => rewrapping.begin())
  }

  /** This thread last: what it writes, the others must be able to open. */
  async #everywhere(step: KeyringStep): Promise<void> {
    const { workers, grantReader, keyring } = this.#dependencies
    await Promise.all([workers.turnKeys(step), grantReader.turnKeys(step)])
    turnKeys(keyring, step)
  }

  async #record() {
    const record = await readDeployment(this.#dependencies.database)
    if (record === undefined) throw new Error('the deployment is gone')
    return record
  }
}
