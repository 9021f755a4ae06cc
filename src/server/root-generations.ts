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
import {
  createDomainKey,
  openDomainKeys,
  turnKeys,
  wrapDomainKey,
  type KeyringStep,
  type OpenDomainKey,
} from '../crypto/domain-keys.ts'
import type { OpenDeployment } from '../crypto/open-deployment.ts'
import type { FormerRoots, RetiredRoots, SealStatus } from '../operations/contract/seal-controls.ts'
import type { ServiceChanges } from '../lifecycle/service-changes.ts'
import { createTurns } from '../pipeline/turns.ts'
import type { NodeRecord } from '../model/node.ts'
import { SealRefused } from '../seals/seal.ts'
import { readDeployment } from '../store/tables/deployment.ts'
import { takeLease } from '../store/tables/leases.ts'
import { adoptRoot } from '../store/tables/root-generations.ts'
import type { GenerationDependencies, RootGenerations } from './generation-parts.ts'
import { behind, othersIn, readOthers, type OtherNode } from './other-nodes.ts'
import { createRewrapping, type Rewrapping } from './rewrapping.ts'
import { requireKnown } from './root-key.ts'

/** The longest life of a session or of an import token. */
const tokensLiveMs = 36 * 60 * 60 * 1000
/** No transaction is open for longer: PostgreSQL ends it after 10 s without a statement. */
const transactionMsMax = 30_000
/** A node that wraps anew, and dies, is followed by another one. */
const leaseMs = 30_000

export function createRootGenerations(dependencies: GenerationDependencies): RootGenerations {
  const generations = new Generations(dependencies)
  const inTurn = createTurns()
  return {
    deployment: () => generations.deployment,
    requireSettled: () => generations.requireSettled(),
    adopt: (rootKey, proved) => inTurn(() => generations.adopt(rootKey, proved)),
    retire: (endSessions) => inTurn(() => generations.retire(endSessions)),
    status: () => generations.status(),
    begin: (changes) => generations.begin(changes),
    followNodes() {
      let isFollowing = false
      dependencies.node?.follow((nodes) => {
        if (isFollowing) return
        isFollowing = true
        void inTurn(() => generations.follow(nodes)).finally(() => (isFollowing = false))
      })
    },
    close() {
      // Whatever waits its turn finds it ended.
      generations.end()
      return inTurn(() => generations.close())
    },
  }
}

/** `adopt` and `retire` do not run at the same time. */
class Generations {
  deployment: OpenDeployment
  readonly #dependencies: GenerationDependencies
  #changes: ServiceChanges | undefined
  #rewrapping: Rewrapping | undefined
  /** On the monotonic clock: every node is seen to have turned. */
  #turnedAt: number | undefined
  #isTold = false
  /** Why the last step of a rotation failed. */
  #waitsFor: string | undefined
  #isEnded = false
  /** When every node was seen to have turned, on the clock for decisions; undefined if they did at once. */
  #lastTurned: number | undefined

  constructor(dependencies: GenerationDependencies) {
    this.#dependencies = dependencies
    this.deployment = dependencies.deployment
  }

  async adopt(rootKey: KeyObject, proved: Uint8Array): Promise<void> {
    this.#requireGoingOn()
    await this.requireSettled()
    const { database, keyring, clock, random } = this.#dependencies
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
      keyring,
      domainKeys: [...former, { ...added, createdAt: clock.now() }],
    })
    await this.#learn(opened)
    await this.#goOn(await this.#others())
  }

  /** Goes on with a rotation as far as the other nodes have come. Called after each confirmation. */
  async follow(nodes: readonly NodeRecord[]): Promise<void> {
    if (this.#isEnded) return
    const { keyring, log } = this.#dependencies
    const others = othersIn(nodes, this.#dependencies.node?.nodeId)
    try {
      if (others.some(({ knownKey }) => knownKey > keyring.knownVersion)) await this.#learnNext()
      if (keyring.oldestVersion === keyring.knownVersion) return
      await this.#goOn(others)
      if (others.some(({ oldestKey }) => oldestKey > keyring.oldestVersion)) await this.#forget()
      this.#waitsFor = undefined
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      // Each reason once: this is tried at each confirmation.
      if (reason !== this.#waitsFor) {
        log.warn({ err: error }, 'the rotation of the root key goes on at a later confirmation')
      }
      this.#waitsFor = reason
    }
  }

  async requireSettled(): Promise<void> {
    const { keyring } = this.#dependencies
    const others = await this.#others()
    const waits = this.#behind(others)
    if (waits.length > 0) {
      throw new SealRefused(`a node does not know the current root key yet: ${waits.join(', ')}`)
    }
    if (others.some(({ oldestKey }) => oldestKey < keyring.oldestVersion)) {
      throw new SealRefused('a node has not forgotten the former root keys yet: try again')
    }
    const { domainKeys } = await this.#record()
    if (domainKeys.some(({ version }) => version > keyring.knownVersion)) {
      throw new SealRefused('another node has made a root key that this node does not know yet')
    }
  }

  async #others(): Promise<readonly OtherNode[]> {
    return readOthers(this.#dependencies.store, this.#dependencies.node?.nodeId)
  }

  #behind(others: readonly OtherNode[]): readonly string[] {
    return behind(others, this.#dependencies.keyring.knownVersion)
  }

  async #learn(opened: readonly OpenDomainKey[]): Promise<void> {
    const { deploymentId, domainKeys } = this.deployment
    // What was seen and done for an earlier root key says nothing about this one.
    await this.#rewrapping?.close()
    this.#rewrapping = undefined
    this.#turnedAt = undefined
    this.#lastTurned = undefined
    this.deployment = { deploymentId, domainKeys: [...domainKeys, ...opened] }
    await this.#orEnd(async () => {
      for (const domainKey of opened) await this.#everywhere({ step: 'learn', domainKey })
      // Verifiers must know the key before it signs a checkpoint.
      await this.#dependencies.list()
    })
  }

  /** A node with a seal that opens by itself needs no people. Others learn it at their next start. */
  async #learnNext(): Promise<void> {
    const { keyring, ownSeal, log } = this.#dependencies
    const isNext = ({ version }: { readonly version: number }): boolean =>
      version > keyring.knownVersion
    if (!(await this.#record()).domainKeys.some(isNext)) return
    if (ownSeal.current().asks !== 'nothing') {
      if (this.#isTold) return
      this.#isTold = true
      log.warn({}, 'there is a new root key: start this node again and unseal it')
      return
    }
    const { record, domainKeys } = await ownSeal.open('if due')
    requireKnown(domainKeys, this.deployment.domainKeys)
    await this.#learn(domainKeys.filter(isNext))
    log.info({ generation: record.seal.generation }, 'this node knows the new root key')
  }

  /**
   * INVARIANT (all know it first): a node turns when every other one knows the domain key, and wraps anew
   * when every other one has turned.
   */
  async #goOn(others: readonly OtherNode[]): Promise<void> {
    const { keyring } = this.#dependencies
    const { knownVersion } = keyring
    if (keyring.newestVersion < knownVersion) {
      const waits = this.#behind(others).length > 0 ? others : await this.#others()
      if (this.#behind(waits).length > 0) return
      await this.#orEnd(() => this.#everywhere({ step: 'turn' }))
    }
    if (others.some(({ currentKey }) => currentKey < knownVersion)) return
    if (this.#turnedAt === undefined && others.length > 0) {
      this.#lastTurned = this.#dependencies.clock.now()
    }
    this.#turnedAt ??= performance.now()
    if (this.#isEnded || this.#rewrapping !== undefined || this.#changes === undefined) return
    this.#beginPasses()
  }

  /** Former root keys were ended by another node. */
  async #forget(): Promise<void> {
    const { keyring, log } = this.#dependencies
    const { domainKeys } = await this.#record()
    const oldest = Math.min(...domainKeys.map(({ version }) => version))
    if (oldest <= keyring.oldestVersion || oldest > keyring.newestVersion) return
    await this.#endBefore(oldest)
    log.info({}, 'this node has forgotten the former root keys')
  }

  /** @throws {SealRefused} once the server stops */
  #requireGoingOn(): void {
    if (this.#isEnded) throw new SealRefused('the server is stopping')
  }

  /** Some threads may be a step behind: a start brings them all to the same one. */
  async #orEnd(steps: () => Promise<void>): Promise<void> {
    try {
      await steps()
    } catch (cause) {
      const error = new Error('a thread did not turn to the new root key', { cause })
      this.#dependencies.onFatal(error)
      throw error
    }
  }

  async retire(endSessions: boolean): Promise<RetiredRoots> {
    this.#requireGoingOn()
    const { store, keyring, clock } = this.#dependencies
    const { domainKeys } = this.deployment
    const older = domainKeys.filter(({ version }) => version < keyring.knownVersion)
    const { generation, former } = await this.status()
    if (older.length === 0 || former === undefined) {
      throw new SealRefused('there is no former root key: `trent rotate-root` makes a new one')
    }
    if (former.state === 'waiting') {
      throw new SealRefused(`a node does not know the current root key: ${former.waitsFor?.join()}`)
    }
    await this.#requireTurned()
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
    await this.#endBefore(keyring.newestVersion)
    return { generation, retired: older.length }
  }

  /** Another node's transactions from before it turned are over. @throws {SealRefused} */
  async #requireTurned(): Promise<void> {
    const { newestVersion } = this.#dependencies.keyring
    const others = await this.#others()
    if (others.length === 0) return
    const haveTurned = others.every(({ currentKey }) => currentKey >= newestVersion)
    // Without a time, not even one is known to have turned.
    const isOver = performance.now() - (this.#turnedAt ?? Infinity) > transactionMsMax
    if (haveTurned && isOver) return
    throw new SealRefused('nodes have just turned to it: try again in a minute')
  }

  /** Goes on with the domain keys from this version on. */
  async #endBefore(version: number): Promise<void> {
    const { deploymentId, domainKeys } = this.deployment
    const remaining = domainKeys.filter((each) => each.version >= version)
    if (remaining.length === 1) {
      await this.#rewrapping?.close()
      this.#rewrapping = undefined
      this.#turnedAt = undefined
    }
    this.deployment = { deploymentId, domainKeys: remaining }
    await this.#orEnd(() => this.#everywhere({ step: 'forget-before', version }))
    await this.#dependencies.list()
  }

  async status(): Promise<Pick<SealStatus, 'generation' | 'former'>> {
    const { seal, domainKeys } = await this.#record()
    const generations = this.deployment.domainKeys.length - 1
    const { generation } = seal
    if (generations === 0) return { generation }
    const turned = Math.max(domainKeys.at(-1)?.createdAt ?? 0, this.#lastTurned ?? 0)
    const waitsFor = this.#behind(await this.#others())
    const former: FormerRoots = {
      generations,
      ...(this.#rewrapping?.progress() ?? { state: 'rewrapping', rewrapped: 0 }),
      ...(waitsFor.length > 0 && { state: 'waiting', waitsFor }),
      sessionsEnd: new Date(turned + tokensLiveMs).toISOString(),
    }
    return { generation, former }
  }

  /** Ends what is under way. Nothing begins after it. */
  end(): void {
    this.#isEnded = true
    void this.#rewrapping?.close()
  }

  async close(): Promise<void> {
    await this.#rewrapping?.close()
  }

  begin(changes: ServiceChanges): void {
    this.#changes = changes
    if (this.deployment.domainKeys.length > 1 && this.#dependencies.node === undefined) {
      this.#beginPasses()
    }
  }

  #beginPasses(): void {
    const { firstAccount, region, keyring, log, node, database, clock } = this.#dependencies
    const name = 'wrap anew under the current root key'
    const changes = this.#changes
    if (changes === undefined) throw new Error('`begin` was not called')
    const before = this.#rewrapping?.close()
    const place = { accountId: firstAccount.accountId, region }
    const hold = async (forMs: number): Promise<boolean> =>
      node === undefined ||
      takeLease(database.query, { name, holder: node.nodeId }, clock.system(), forMs)
    const lease = { take: () => hold(leaseMs), release: () => hold(-1) }
    const rewrapping = createRewrapping({ changes, place, keyring, lease, log })
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
