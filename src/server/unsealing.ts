/**
 * Opens the root key at a start: by itself, or with what operators give. Until then the server is sealed.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { OpenDeployment } from '../crypto/open-deployment.ts'
import { createTurns } from '../pipeline/turns.ts'
import { recoverySeal } from '../seals/choose.ts'
import {
  openAlone,
  SealRefused,
  SealStopped,
  SealUnavailable,
  type Opening,
  type Progress,
  type Seal,
  type SealKind,
  type Wanted,
} from '../seals/seal.ts'
import { readDeployment, wasOpened, type DeploymentRecord } from '../store/tables/deployment.ts'
import { readOtherSeals } from '../store/tables/other-seals.ts'
import {
  deploymentOrNew,
  deploymentUnder,
  isSame,
  makeDeployment,
  requireKind,
  type RootKeyDependencies,
} from './root-key.ts'

/** What operators see of a sealed server. */
export interface SealState extends Progress {
  readonly kind: SealKind
  /** False before `trent init`. */
  readonly initialized: boolean
  readonly opensWith: 'current' | 'recovery'
  /** Why the server does not open its seal by itself. */
  readonly reason?: string
}

/** An opened root key, and who opened it. */
export interface Unsealed {
  readonly deployment: OpenDeployment
  /** The current seal, even if the recovery seal opened the root key. */
  readonly seal: Seal
  /** Absent if the server opened it by itself. */
  readonly by?: UnsealedBy
  /** Who made the root key, if that was in this process. */
  readonly initializedBy?: string
}

/** For the audit record. */
export interface UnsealedBy {
  readonly seal: SealKind
  readonly role: 'current' | 'recovery'
  readonly set?: string
  /** The numbers of the shares that were given. */
  readonly shares?: readonly number[]
  /** Who gave them, in the same order, or the passphrase. */
  readonly givers: readonly string[]
  /** Secrets that were refused before. */
  readonly refused: number
}

export interface Unsealing {
  /** Rejects when the seal can never open, or when the server stops. */
  readonly opened: Promise<Unsealed>
  /** Whether the root key was opened. */
  readonly isOpen: () => boolean
  readonly state: () => Promise<SealState>
  /**
   * Makes the root key. A deployment that was never opened is made anew, because its shares may be lost.
   * @throws {SealRefused}
   * @throws {SealUnavailable}
   */
  readonly initialize: (
    wanted: Wanted,
    operator: string,
  ) => Promise<{ readonly shares?: readonly string[] }>
  /**
   * Takes what one operator gives.
   * @param secret UTF-8; overwritten
   * @param giver who gives it
   * @throws {SealRefused}
   * @throws {SealUnavailable}
   */
  readonly give: (secret: Uint8Array, giver: string) => Promise<SealState>
  readonly close: () => void
}

/** People of several time zones may take this long after one another. */
const forgetMs = 60 * 60 * 1000
const retryMsMin = 1000
const retryMsMax = 30_000

interface Asked {
  readonly opening: Opening
  readonly record: DeploymentRecord
  readonly seal: SealKind
  readonly role: 'current' | 'recovery'
}

type UnsealDependencies = RootKeyDependencies & { readonly log: Pick<Logger, 'warn'> }

export function createUnsealing(dependencies: UnsealDependencies): Unsealing {
  const attempt = new Attempt(dependencies)
  const inTurn = createTurns()
  // Nobody is asked or told anything before the database was read.
  const begun = inTurn(() => attempt.begin())
  void lookWhileNobodyHasMadeIt()
  return {
    opened: attempt.opened,
    isOpen: () => attempt.isOpen,
    state: () => begun.then(() => attempt.state()),
    initialize: (wanted, operator) => inTurn(() => attempt.initialize(wanted, operator)),
    give: (secret, giver) =>
      inTurn(() => attempt.give(secret, giver).finally(() => secret.fill(0))),
    close: () => attempt.close(),
  }

  async function lookWhileNobodyHasMadeIt(): Promise<void> {
    await begun
    while (attempt.waits) {
      await attempt.rest()
      await inTurn(() => attempt.lookAgain())
    }
  }
}

/** One start's attempt to open the root key. Its methods do not run at the same time. */
class Attempt {
  readonly opened: Promise<Unsealed>
  isOpen = false
  readonly #dependencies: UnsealDependencies
  readonly #over = new AbortController()
  readonly #settle: Omit<PromiseWithResolvers<Unsealed>, 'promise'>
  #initialized = false
  #initializer: string | undefined
  #reason: string | undefined
  #asked: Asked | undefined
  /** What the database held when it was read last. */
  #known: DeploymentRecord | undefined
  #isTrying = false
  #refused = 0
  #forgetting: NodeJS.Timeout | undefined

  constructor(dependencies: UnsealDependencies) {
    this.#dependencies = dependencies
    const { promise, ...settle } = Promise.withResolvers<Unsealed>()
    promise.catch(() => undefined) // the caller awaits it, perhaps later
    this.opened = promise
    this.#settle = settle
  }

  /** Resolves when it is known who opens the seal. A seal that opens by itself opens later. */
  async begin(): Promise<void> {
    try {
      await this.#begin()
    } catch (error) {
      this.#settle.reject(error)
    }
  }

  /** Whether nobody has made the root key yet. Another node can. */
  get waits(): boolean {
    return !this.#initialized && !this.#over.signal.aborted
  }

  async rest(): Promise<void> {
    const { signal } = this.#over
    await delay(retryMsMin, undefined, { signal, ref: false }).catch(() => undefined)
  }

  /** Begins anew if another node has made the root key, or replaced it or its seal, meanwhile. */
  async lookAgain(): Promise<void> {
    const record = await readDeployment(this.#dependencies.database).catch(() => undefined)
    // A seal that opens by itself reads the record at each attempt.
    if (record === undefined || this.#over.signal.aborted || this.#isTrying) return
    if (this.#initialized && this.#known !== undefined && isSame(this.#known, record)) return
    await this.begin()
  }

  state(): SealState {
    const { seal } = this.#dependencies
    return {
      kind: seal.kind,
      initialized: this.#initialized,
      opensWith: this.#asked?.role ?? 'current',
      ...(this.#asked?.opening.progress() ?? { asks: seal.asks }),
      ...(this.#reason !== undefined && { reason: this.#reason }),
    }
  }

  async initialize(
    wanted: Wanted,
    operator: string,
  ): Promise<{ readonly shares?: readonly string[] }> {
    this.#requireSealed()
    const { database, seal } = this.#dependencies
    // Nobody can lose the shares of a seal that opens by itself, and perhaps it is opening now.
    const opensAlone = seal.asks === 'nothing'
    const { record, shares } = await database.alone(async () => {
      const known = await readDeployment(database)
      if (known !== undefined && (opensAlone || (await wasOpened(database)))) {
        const how = opensAlone ? 'the server opens it by itself' : '`trent unseal` opens it'
        throw new SealRefused(`the deployment has its root key already: ${how}`)
      }
      return makeDeployment(this.#dependencies, wanted, known?.deploymentId)
    })
    this.#initializer = operator
    if (opensAlone) {
      await this.#openByItself(record)
      return {}
    }
    const opening = seal.open(record.seal.sealedRootKey, record.deploymentId, 'everyone')
    this.#ask({ opening, record, seal: seal.kind, role: 'current' })
    return shares === undefined ? {} : { shares }
  }

  async give(secret: Uint8Array, giver: string): Promise<SealState> {
    this.#requireSealed()
    await this.lookAgain()
    if (this.#asked === undefined) throw nothingToGive(this.#initialized, this.#reason)
    const { opening, record, ...by } = this.#asked
    try {
      const rootKey = await opening.give(secret, giver)
      clearTimeout(this.#forgetting)
      this.#forgetting = setTimeout(opening.forget, forgetMs).unref()
      if (rootKey !== undefined) {
        const { set, given: shares, givers = [giver] } = opening.progress()
        const told = { ...by, ...(set !== undefined && { set }), ...(shares && { shares }), givers }
        this.#finish(openUnder(rootKey, record, opening), { ...told, refused: this.#refused })
      }
      return this.state()
    } catch (error) {
      if (error instanceof SealRefused) this.#refused += 1
      throw error
    }
  }

  close(): void {
    this.#end()
    this.#settle.reject(new Error('stopped before the root key was open'))
  }

  async #begin(): Promise<void> {
    const { database, seal, log } = this.#dependencies
    const record = await readDeployment(database)
    if (record === undefined && !seal.startsAlone) {
      log.warn({ seal: seal.kind }, 'the deployment has no root key yet: `trent init`')
      return
    }
    if (record !== undefined) requireKind(seal, record.seal.kind)
    if (record === undefined || seal.asks === 'nothing') {
      const present = record ?? (await deploymentOrNew(this.#dependencies))
      requireKind(seal, present.seal.kind)
      this.#initialized = true
      this.#openByItself(present).catch(this.#settle.reject)
      return
    }
    const needs = (await wasOpened(database)) ? 'threshold' : 'everyone'
    const opening = seal.open(record.seal.sealedRootKey, record.deploymentId, needs)
    this.#ask({ opening, record, seal: seal.kind, role: 'current' })
  }

  /** One attempt at a time, whoever asks for it. */
  async #openByItself(first: DeploymentRecord): Promise<void> {
    if (this.#isTrying) return
    this.#isTrying = true
    this.#initialized = true
    try {
      await this.#keepTrying(first)
    } finally {
      this.#isTrying = false
    }
  }

  /** Tries again while the seal cannot be reached. People may give the recovery seal meanwhile. */
  async #keepTrying(first: DeploymentRecord): Promise<void> {
    const { database, seal, log } = this.#dependencies
    const { signal } = this.#over
    let record = first
    for (let waitMs = retryMsMin; !signal.aborted; waitMs = Math.min(2 * waitMs, retryMsMax)) {
      this.#known = record
      try {
        const rootKey = await openAlone(seal, record.seal.sealedRootKey, record.deploymentId)
        const deployment = deploymentUnder(rootKey, record)
        if (!signal.aborted) this.#finish(deployment)
        return
      } catch (error) {
        const mayComeBack = error instanceof SealUnavailable
        if (!mayComeBack && !(error instanceof SealRefused)) throw error
        const canRecover = await this.#askRecovery(record)
        this.#reason = error.message
        const stays = mayComeBack || canRecover || error instanceof SealStopped
        if (!stays) throw error
        log.warn({ reason: error.message }, 'the server is sealed: its seal does not open')
        if (!mayComeBack) return
        await delay(waitMs, undefined, { signal }).catch(() => undefined)
        // Another node may have replaced the root key, or its seal.
        record = (await readDeployment(database).catch(() => undefined)) ?? record
      }
    }
  }

  /** Asks for the recovery seal, if there is one. */
  async #askRecovery(record: DeploymentRecord): Promise<boolean> {
    const { database, random } = this.#dependencies
    const { recovery } = await readOtherSeals(database)
    const asked = this.#asked
    if (recovery !== undefined && (asked === undefined || !isSame(asked.record, record))) {
      const seal = recoverySeal(random)
      const opening = seal.open(recovery.sealedRootKey, record.deploymentId)
      this.#ask({ opening, record, seal: seal.kind, role: 'recovery' })
    }
    return recovery !== undefined
  }

  #ask(asked: Asked): void {
    this.#asked?.opening.forget()
    this.#asked = asked
    this.#known = asked.record
    this.#initialized = true
    const told = { seal: asked.seal, role: asked.role, ...asked.opening.progress() }
    this.#dependencies.log.warn(told, 'the server is sealed: `trent unseal`')
  }

  #finish(deployment: OpenDeployment, by?: UnsealedBy): void {
    this.isOpen = true
    this.#end()
    const { seal } = this.#dependencies
    const initializedBy = this.#initializer
    this.#settle.resolve({
      deployment,
      seal,
      ...(by && { by }),
      ...(initializedBy !== undefined && { initializedBy }),
    })
  }

  #end(): void {
    this.#over.abort()
    clearTimeout(this.#forgetting)
    this.#asked?.opening.forget()
  }

  #requireSealed(): void {
    if (this.#over.signal.aborted) throw new SealRefused('the server is not sealed')
  }
}

/** @throws {SealRefused} and begins anew, because the shares are used up */
function openUnder(rootKey: KeyObject, record: DeploymentRecord, opening: Opening): OpenDeployment {
  try {
    return deploymentUnder(rootKey, record)
  } catch (error) {
    opening.forget()
    throw error
  }
}

function nothingToGive(initialized: boolean, reason: string | undefined): SealRefused {
  if (!initialized) {
    return new SealRefused('the deployment has no root key yet: `trent init` makes it')
  }
  // The port for unsealing answers strangers too: paths and addresses are for operators.
  const why = reason === undefined ? '' : '; `trent status` says why it does not open'
  return new SealRefused(`the server opens its seal by itself, and it has no recovery seal${why}`)
}
