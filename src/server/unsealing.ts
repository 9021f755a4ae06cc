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
  type Needs,
  type Opening,
  type SealKind,
  type Wanted,
} from '../seals/seal.ts'
import { readDeployment, wasOpened, type DeploymentRecord } from '../store/tables/deployment.ts'
import { readOtherSeals } from '../store/tables/other-seals.ts'
import {
  deploymentOrNew,
  deploymentUnder,
  makeDeployment,
  requireKind,
  type RootKeyDependencies,
} from './root-key.ts'
import type { SealState, Unsealed, UnsealedBy, Unsealing } from './unseal-parts.ts'

/** People of several time zones may take this long after one another. */
const forgetMs = 60 * 60 * 1000
const retryMsMin = 1000
const retryMsMax = 30_000

interface Asked {
  readonly opening: Opening
  readonly record: DeploymentRecord
  /** What it opens: one of the sealed root keys of the database. */
  readonly sealed: Uint8Array
  readonly seal: SealKind
  readonly role: 'current' | 'recovery'
}

/** The sealed root key that the database holds. */
interface Found {
  readonly record: DeploymentRecord
  /** Sealed by the recovery seal, if there is one. */
  readonly recovery: Uint8Array | undefined
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
      this.#fail(error)
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

  /** Sees what other nodes did meanwhile: made the root key, or replaced it or one of its seals. */
  async lookAgain(): Promise<void> {
    const found = await this.#read().catch(() => undefined)
    if (found === undefined || this.#over.signal.aborted) return
    const { record, recovery } = found
    // A seal that opens by itself reads the record before each attempt. More attempts could lock it.
    const opensAlone = this.#initialized && this.#dependencies.seal.asks === 'nothing'
    const sealed = opensAlone ? recovery : record.seal.sealedRootKey
    const asked = this.#asked
    if (asked !== undefined && sealed !== undefined && Buffer.compare(asked.sealed, sealed) === 0) {
      this.#asked = { ...asked, record }
    } else if (opensAlone) this.#askRecovery(record, sealed)
    else await this.begin()
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
    this.#askCurrent(record, 'everyone')
    return shares === undefined ? {} : { shares }
  }

  async give(secret: Uint8Array, giver: string): Promise<SealState> {
    this.#requireSealed()
    await this.lookAgain()
    this.#requireSealed()
    if (this.#asked === undefined) throw nothingToGive(this.#initialized, this.#reason)
    const { opening, record, seal, role } = this.#asked
    try {
      const rootKey = await opening.give(secret, giver)
      clearTimeout(this.#forgetting)
      this.#forgetting = setTimeout(opening.forget, forgetMs).unref()
      if (rootKey !== undefined) {
        const { set, given: shares, givers = [giver] } = opening.progress()
        const by = { seal, role, givers, refused: this.#refused }
        const told = { ...by, ...(set !== undefined && { set }), ...(shares && { shares }) }
        this.#finish(openUnder(rootKey, record, opening), told)
      }
      return this.state()
    } catch (error) {
      if (error instanceof SealRefused) this.#refused += 1
      throw error
    }
  }

  close(): void {
    this.#fail(new Error('stopped before the root key was open'))
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
      this.#openByItself(present).catch((error: unknown) => this.#fail(error))
      return
    }
    this.#askCurrent(record, (await wasOpened(database)) ? 'threshold' : 'everyone')
  }

  /**
   * Tries again while the seal cannot be reached. People may give the recovery seal meanwhile.
   * INVARIANT (one attempt at a time): this runs once. It is called only while no root key is known here,
   * and makes one known.
   */
  async #openByItself(first: DeploymentRecord): Promise<void> {
    this.#initialized = true
    const { seal, log } = this.#dependencies
    const { signal } = this.#over
    let record = first
    for (let waitMs = retryMsMin; !signal.aborted; waitMs = Math.min(2 * waitMs, retryMsMax)) {
      try {
        requireKind(seal, record.seal.kind)
        const rootKey = await openAlone(seal, record.seal.sealedRootKey, record.deploymentId)
        const deployment = deploymentUnder(rootKey, record)
        if (!signal.aborted) this.#finish(deployment)
        return
      } catch (error) {
        const mayComeBack = error instanceof SealUnavailable
        if (!mayComeBack && !(error instanceof SealRefused)) throw error
        await this.lookAgain()
        if (signal.aborted) return
        const isStopped = error instanceof SealStopped
        this.#reason = isStopped ? `${error.message}, then start the server again` : error.message
        const canRecover = this.#asked !== undefined
        const stays = mayComeBack || canRecover || isStopped
        if (!stays) throw error
        log.warn({ reason: this.#reason }, 'the server is sealed: its seal does not open')
        if (!mayComeBack) return
        await delay(waitMs, undefined, { signal }).catch(() => undefined)
        // Another node may have replaced the root key, or its seal.
        record = (await this.#read().catch(() => undefined))?.record ?? record
      }
    }
  }

  async #read(): Promise<Found | undefined> {
    const { database } = this.#dependencies
    const record = await readDeployment(database)
    if (record === undefined) return undefined
    return { record, recovery: (await readOtherSeals(database)).recovery?.sealedRootKey }
  }

  #askCurrent(record: DeploymentRecord, needs: Needs): void {
    const { seal } = this.#dependencies
    const { sealedRootKey: sealed } = record.seal
    const opening = seal.open(sealed, record.deploymentId, needs)
    this.#ask({ opening, record, sealed, seal: seal.kind, role: 'current' })
  }

  /** Asks for the recovery seal, if there is one, and for no former one. */
  #askRecovery(record: DeploymentRecord, sealed: Uint8Array | undefined): void {
    this.#asked?.opening.forget()
    this.#asked = undefined
    if (sealed === undefined) return
    const { random, log } = this.#dependencies
    const seal = recoverySeal(random)
    try {
      const opening = seal.open(sealed, record.deploymentId)
      this.#ask({ opening, record, sealed, seal: seal.kind, role: 'recovery' })
    } catch (error) {
      if (!(error instanceof SealRefused)) throw error
      // The current seal may open yet, and needs no recovery seal.
      log.warn({ reason: error.message }, 'the recovery seal cannot be used')
    }
  }

  #ask(asked: Asked): void {
    this.#asked?.opening.forget()
    this.#asked = asked
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

  #fail(error: unknown): void {
    this.#end()
    this.#settle.reject(error)
  }

  #end(): void {
    this.#over.abort()
    clearTimeout(this.#forgetting)
    this.#asked?.opening.forget()
  }

  #requireSealed(): void {
    if (!this.#over.signal.aborted) return
    throw new SealRefused(this.isOpen ? 'the server is not sealed' : 'the server is stopping')
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
