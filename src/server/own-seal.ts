/**
 * The seal of a running server, which must open the root key at the next start. It is tried every few
 * minutes, so that people learn while the server still runs that a key file, a KMS, an HSM or a TPM is gone.
 * The root key that a trial opens is not kept.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { OpenDomainKey } from '../crypto/domain-keys.ts'
import { createJobs } from '../jobs/jobs.ts'
import type { Readers } from '../metrics/gauges.ts'
import type { Clock } from '../model/clock.ts'
import type { SealStatus } from '../operations/contract/seal-controls.ts'
import { createTurns } from '../pipeline/turns.ts'
import {
  isOfSeal,
  openAlone,
  SealRefused,
  SealStopped,
  type Seal,
  type SealUnavailable,
} from '../seals/seal.ts'
import type { Database } from '../store/database.ts'
import { readDeployment, type DeploymentRecord } from '../store/tables/deployment.ts'
import { deploymentUnder, requireKind } from './root-key.ts'

export interface OwnSeal {
  /** The seal of the settings, or the one to which this server has moved the root key since. */
  readonly current: () => Seal
  /** The root key is under this seal from now on, which has just opened it. */
  readonly move: (to: Seal) => void
  /**
   * Opens the root key without people.
   * @param when `if due`: a seal that did not open a short while ago is not asked again
   * @throws {SealRefused}
   * @throws {SealUnavailable}
   */
  readonly open: (when: 'now' | 'if due') => Promise<OpenedRecord>
  /** Empty while the seal opens. */
  readonly status: () => Pick<SealStatus, 'doesNotOpen'>
  readonly readers: Readers
  /** Tries the seal if it is time to. */
  readonly runDue: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface OpenedRecord {
  readonly record: DeploymentRecord
  readonly rootKey: KeyObject
  /** All of them, under this root key. */
  readonly domainKeys: readonly OpenDomainKey[]
}

interface OwnSealDependencies {
  readonly database: Database
  readonly seal: Seal
  /** The seal has opened the root key at this start. */
  readonly hasOpened: boolean
  readonly clock: Pick<Clock, 'now'>
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
}

const everyMs = 5 * 60_000
/** After a failure. */
const againMs = 60_000

export function createOwnSeal(dependencies: OwnSealDependencies): OwnSeal {
  const { clock, log } = dependencies
  const trials = new Trials(dependencies)
  const inTurn = createTurns()
  const job = { name: 'try the seal', run: () => inTurn(() => trials.tryIfDue()) }
  const onError = (_job: string, error: unknown): void =>
    log.error({ err: error }, 'the seal could not be tried')
  return {
    ...createJobs({ jobs: [job], clock, onError }),
    current: () => trials.seal,
    move: (to) => trials.move(to),
    open: (when) => inTurn(() => trials.open(when)),
    status: () => trials.status(),
    readers: { trent_seal_opens: () => trials.opens() },
  }
}

interface Failure {
  readonly error: SealRefused | SealUnavailable
  /** Milliseconds since the epoch. */
  readonly since: number
  /** INVARIANT (one wrong PIN): a device refused what this file had, and nothing gives it that again. */
  readonly refusedFile?: string
}

/** Trials of one seal after another. They do not run at the same time. */
class Trials {
  seal: Seal
  readonly #dependencies: OwnSealDependencies
  #hasOpened: boolean
  #failure: Failure | undefined
  #nextAt: number

  constructor(dependencies: OwnSealDependencies) {
    const { seal, hasOpened, clock } = dependencies
    this.#dependencies = dependencies
    this.seal = seal
    this.#hasOpened = hasOpened && seal.asks === 'nothing'
    this.#nextAt = clock.now() + (hasOpened ? everyMs : 0)
  }

  /** Undefined before the first trial, and while people open the seal. */
  opens(): number | undefined {
    if (this.#failure !== undefined) return 0
    return this.#hasOpened ? 1 : undefined
  }

  status(): Pick<SealStatus, 'doesNotOpen'> {
    if (this.#failure === undefined) return {}
    const { error, since } = this.#failure
    return { doesNotOpen: { reason: error.message, since: new Date(since).toISOString() } }
  }

  move(to: Seal): void {
    this.seal = to
    this.#failure = undefined
    this.#hasOpened = to.asks === 'nothing'
    this.#nextAt = this.#dependencies.clock.now() + everyMs
  }

  async tryIfDue(): Promise<false> {
    if (!this.#isDue()) return false
    await this.#try().catch((error: unknown) => {
      if (!isOfSeal(error)) throw error
    })
    return false
  }

  async open(when: 'now' | 'if due'): Promise<OpenedRecord> {
    if (this.#failure !== undefined && when === 'if due' && !this.#isDue()) {
      throw this.#failure.error
    }
    const opened = await this.#try()
    if (opened !== undefined) return opened
    throw new SealRefused(`the root key is sealed by ${this.seal.kind}: people must open it`)
  }

  #isDue(): boolean {
    return this.#dependencies.clock.now() >= this.#nextAt
  }

  /** Of a seal that people open, only the kind is checked. */
  async #try(): Promise<OpenedRecord | undefined> {
    const { database, clock } = this.#dependencies
    const { seal } = this
    this.#nextAt = clock.now() + againMs
    // Before the file is read: whoever corrects it meanwhile gets another trial.
    const file = await stampOf(seal.secretFile)
    if (this.#failure?.refusedFile === file) throw this.#failure.error
    const record = await readDeployment(database)
    if (record === undefined) throw new Error('the deployment is gone')
    try {
      requireKind(seal, record.seal.kind)
      if (seal.asks !== 'nothing') {
        this.#note(seal)
        return undefined
      }
      const rootKey = await openAlone(seal, record.seal.sealedRootKey, record.deploymentId)
      const { domainKeys } = deploymentUnder(rootKey, record)
      this.#note(seal)
      return { record, rootKey, domainKeys }
    } catch (error) {
      if (isOfSeal(error)) this.#noteFailure(seal, error, file)
      throw error
    }
  }

  #note(seal: Seal): void {
    // The root key was moved meanwhile: this says nothing about its seal.
    if (seal !== this.seal) return
    const { clock, log } = this.#dependencies
    this.#nextAt = clock.now() + everyMs
    if (this.#failure !== undefined) log.info({ seal: seal.kind }, 'the seal opens again')
    this.#failure = undefined
    this.#hasOpened = seal.asks === 'nothing'
  }

  #noteFailure(seal: Seal, error: Failure['error'], file: string): void {
    if (seal !== this.seal) return
    const { clock, log } = this.#dependencies
    const { message } = error
    if (this.#failure?.error.message !== message) {
      log.warn({ reason: message }, 'the seal does not open: the next start would stay sealed')
    }
    const since = this.#failure?.since ?? clock.now()
    this.#failure = {
      error,
      since,
      ...(error instanceof SealStopped && { refusedFile: file }),
    }
  }
}

/** Another text whenever the file is written or replaced. */
async function stampOf(path: string | undefined): Promise<string> {
  if (path === undefined) return ''
  try {
    const { ino, mtimeNs, ctimeNs, size } = await stat(path, { bigint: true })
    return [ino, mtimeNs, ctimeNs, size].join()
  } catch {
    return 'unreadable' // the seal says why
  }
}
