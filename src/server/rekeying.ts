/**
 * Seals the same root key anew, while the server runs. The new record is written next to the current one.
 * Each person who will open it proves what they noted. Then one transaction makes it current and deletes
 * the former one. The root key is open only while a record is made; this file does not keep it.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import type { OpenDeployment } from '../crypto/open-deployment.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { RekeyRequest, RekeyState, SealStatus } from '../operations/contract/seal-controls.ts'
import { createTurns } from '../pipeline/turns.ts'
import { recoverySeal } from '../seals/choose.ts'
import { isOfSeal, SealRefused, rootKeyBytes, type Opening, type Seal } from '../seals/seal.ts'
import type { SealOptions } from '../seals/setting.ts'
import type { RowKeyring } from '../store/bound-rows.ts'
import type { Database } from '../store/database.ts'
import { readDeployment, type DeploymentRecord } from '../store/tables/deployment.ts'
import {
  adoptSeal,
  deleteNextSeals,
  putNextSeal,
  readOtherSeals,
  type NextRole,
} from '../store/tables/other-seals.ts'
import type { RootGenerations } from './generation-parts.ts'
import type { OwnSeal } from './own-seal.ts'
import { peoplesSeal, planOf, type Plan } from './rekey-plan.ts'
import { areAmong, deploymentUnder, requireKind } from './root-key.ts'

export interface Rekeying {
  readonly status: () => Promise<SealStatus>
  /** Begins to seal the root key anew, and forgets an unfinished attempt. @throws {SealRefused} */
  readonly begin: (request: RekeyRequest) => Promise<RekeyState>
  /**
   * Takes what one person gives: first for the current seal, then, to prove it, for the next one.
   * @param giver who gives it
   * @throws {SealRefused}
   */
  readonly give: (secret: Uint8Array, giver: string) => Promise<RekeyState>
  /** Deletes a record that is not in force yet. */
  readonly cancel: () => Promise<void>
}

export interface RekeyDependencies {
  readonly database: Database
  readonly generations: Pick<RootGenerations, 'deployment' | 'adopt' | 'requireSettled' | 'status'>
  readonly keyring: RowKeyring
  readonly ownSeal: Omit<OwnSeal, 'readers' | 'runDue' | 'close'>
  readonly sealOptions: SealOptions
  readonly clock: Clock
  readonly random: Random
}

/** The new record is in the database, and its holders prove it. */
interface Proving {
  readonly at: 'proving'
  readonly role: NextRole
  readonly seal: Seal
  readonly setting?: string
  readonly opening: Opening
  readonly record: Uint8Array
}

/** People open the seal that is in force, or the recovery seal. */
interface Asking {
  readonly at: 'opening'
  readonly plan: Plan
  readonly opening: Opening
  /** What they open. */
  readonly sealed: Uint8Array
}

type Stage = Asking | Proving

/** What people gave is forgotten when nobody has gone on for this long. */
const forgetMs = 60 * 60 * 1000

export function createRekeying(dependencies: RekeyDependencies): Rekeying {
  const rekey = new Rekey(dependencies)
  const inTurn = createTurns()
  let forgetting: NodeJS.Timeout | undefined
  const goOn = <T>(work: () => Promise<T>): Promise<T> => {
    clearTimeout(forgetting)
    forgetting = setTimeout(() => void inTurn(async () => rekey.forget()), forgetMs).unref()
    return inTurn(work)
  }
  return {
    status: () => rekey.status(),
    begin: (request) => goOn(() => rekey.begin(request)),
    give: (secret, giver) => goOn(() => rekey.give(secret, giver).finally(() => secret.fill(0))),
    cancel: () => inTurn(() => rekey.cancel()),
  }
}

/** The root key's seals while the server runs. Its methods do not run at the same time. */
class Rekey {
  readonly #dependencies: RekeyDependencies
  #stage: Stage | undefined

  constructor(dependencies: RekeyDependencies) {
    this.#dependencies = dependencies
  }

  async status(): Promise<SealStatus> {
    const { database, random, generations, ownSeal } = this.#dependencies
    const others = await readOtherSeals(database)
    const waiting = others.next ?? others['next-root'] ?? others['next-recovery']
    const stage = this.#stage
    // Another node may have moved the root key to another seal.
    const { kind } = (await this.#record()).seal
    return {
      kind,
      opensAlone: peoplesSeal(kind, random) === undefined,
      recovery: others.recovery !== undefined,
      ...ownSeal.status(),
      ...(await generations.status()),
      ...(stage && { rekey: stateOf(stage) }),
      // A stopped server left it.
      ...(stage === undefined && waiting && { rekey: { stage: 'prove', seal: waiting.kind } }),
    }
  }

  /** Opens the root key without people if it can be; otherwise begins to ask them. */
  async begin(request: RekeyRequest): Promise<RekeyState> {
    const own = this.#dependencies.ownSeal.current()
    const plan = planOf(request, own, this.#dependencies)
    try {
      plan.seal.requireWanted?.(plan.wanted)
      if (plan.role === 'next-root') await this.#dependencies.generations.requireSettled()
      this.#enter(undefined)
      const { deploymentId, seal: current } = await this.#record()
      requireKind(own, current.kind)
      const sealed = current.sealedRootKey
      if (own.asks !== 'nothing') {
        return this.#ask(plan, own.open(sealed, deploymentId), sealed)
      }
      const { recovery } = await readOtherSeals(this.#dependencies.database)
      const opened = await this.#dependencies.ownSeal.open('now').catch((error: unknown) => {
        if (!isOfSeal(error) || recovery === undefined) throw error
        return undefined
      })
      if (opened !== undefined) {
        return await this.#sealAnew(opened.rootKey, plan, opened.record.seal.sealedRootKey)
      }
      if (recovery === undefined) throw new Error('a seal that asks for nothing did not open')
      const seal = recoverySeal(this.#dependencies.random)
      const { sealedRootKey } = recovery
      return this.#ask(plan, seal.open(sealedRootKey, deploymentId), sealedRootKey)
    } finally {
      const waits = this.#stage?.at === 'opening' && this.#stage.plan === plan
      if (!waits) plan.wanted.passphrase?.fill(0)
    }
  }

  async give(secret: Uint8Array, giver: string): Promise<RekeyState> {
    const stage = this.#stage ?? (await this.#resume())
    if (stage.at === 'opening') await this.#requireInForce(stage.sealed)
    const rootKey = await stage.opening.give(secret, giver)
    if (rootKey === undefined) return stateOf(stage)
    try {
      if (stage.at === 'opening') return await this.#sealAnew(rootKey, stage.plan, stage.sealed)
      return await this.#adopt(rootKey, stage)
    } catch (error) {
      // What people gave is used up: they begin anew.
      stage.opening.forget()
      throw error
    }
  }

  async cancel(): Promise<void> {
    this.forget()
    await deleteNextSeals(this.#dependencies.database)
  }

  /** Forgets what people gave. A record that waits for its proof stays. */
  forget(): void {
    this.#enter(undefined)
  }

  #ask(plan: Plan, opening: Opening, sealed: Uint8Array): RekeyState {
    const stage = { at: 'opening', plan, opening, sealed } as const
    this.#enter(stage)
    return stateOf(stage)
  }

  /** Another node may have replaced the seal: then its shares open nothing any more. @throws {SealRefused} */
  async #requireInForce(sealed: Uint8Array): Promise<void> {
    const { recovery } = await readOtherSeals(this.#dependencies.database)
    const inForce = [(await this.#record()).seal.sealedRootKey, recovery?.sealedRootKey]
    if (inForce.some((each) => each !== undefined && Buffer.compare(each, sealed) === 0)) return
    this.#enter(undefined)
    throw new SealRefused('the seal was replaced meanwhile: begin again')
  }

  /** @param sealed what was opened */
  async #sealAnew(rootKey: KeyObject, plan: Plan, sealed: Uint8Array): Promise<RekeyState> {
    const { database, generations, keyring, clock, random } = this.#dependencies
    const deployment = generations.deployment()
    requireSame(rootKey, deployment, await this.#record())
    const { role, seal, wanted, setting } = plan
    const plaintextKey = role === 'next-root' ? random.bytes(rootKeyBytes) : rootKey.export()
    try {
      const { record, shares } = await seal.seal(plaintextKey, deployment.deploymentId, wanted)
      const { kind } = seal
      const next = { role, kind, sealedRootKey: record, createdAt: clock.now() }
      await putNextSeal(database, next, { opened: sealed, keyring })
      const state = await this.#prove(role, seal, setting)
      return shares === undefined ? state : { ...state, shares }
    } finally {
      plaintextKey.fill(0)
    }
  }

  /** Reads the record again, so that what is proved is what the database holds. */
  async #prove(role: NextRole, seal: Seal, setting?: string): Promise<RekeyState> {
    const { database, generations } = this.#dependencies
    const stored = (await readOtherSeals(database))[role]
    if (stored === undefined) throw new SealRefused('no new seal waits for its proof')
    const { sealedRootKey: record } = stored
    const { deploymentId } = generations.deployment()
    const opening = seal.open(record, deploymentId, 'everyone')
    const named = setting === undefined ? {} : { setting }
    const stage = { at: 'proving', role, seal, opening, record, ...named } as const
    this.#enter(stage)
    if (seal.asks !== 'nothing') return stateOf(stage)
    const rootKey = await opening.give()
    if (rootKey === undefined) throw new Error('a seal that asks for nothing did not open')
    return this.#adopt(rootKey, stage)
  }

  async #adopt(rootKey: KeyObject, { role, seal, setting, record }: Proving): Promise<RekeyState> {
    const { database, generations, keyring, ownSeal } = this.#dependencies
    if (role === 'next-root') {
      // No node joins meanwhile.
      await database.alone(() => generations.adopt(rootKey, record))
      this.#enter(undefined)
      return { stage: 'done', seal: seal.kind, ...rotates }
    }
    requireSame(rootKey, generations.deployment(), await this.#record())
    const dropRecovery = role === 'next' && seal.asks !== 'nothing'
    await adoptSeal(database, { role, proved: record, keyring, dropRecovery })
    if (role === 'next') ownSeal.move(seal)
    this.#enter(undefined)
    return { stage: 'done', seal: seal.kind, ...(setting !== undefined && { setting }) }
  }

  /** A server that was stopped in between goes on with the record in the database. */
  async #resume(): Promise<Stage> {
    const others = await readOtherSeals(this.#dependencies.database)
    const roles = ['next', 'next-root'] as const
    const role = roles.find((each) => others[each] !== undefined) ?? 'next-recovery'
    const seal = peoplesSeal(others[role]?.kind, this.#dependencies.random)
    if (seal === undefined) {
      throw new SealRefused(
        'the root key is not being sealed anew: begin with `trent rekey --seal`',
      )
    }
    await this.#prove(role, seal, role === 'next' ? seal.kind : undefined)
    if (this.#stage === undefined) throw new Error('the proof did not begin')
    return this.#stage
  }

  #enter(next: Stage | undefined): void {
    this.#stage?.opening.forget()
    if (this.#stage?.at === 'opening') this.#stage.plan.wanted.passphrase?.fill(0)
    this.#stage = next
  }

  async #record(): Promise<DeploymentRecord> {
    const record = await readDeployment(this.#dependencies.database)
    if (record === undefined) throw new Error('the deployment is gone')
    return record
  }
}

const rotates = { rotates: true } as const

function stateOf(stage: Stage): RekeyState {
  const seal = stage.at === 'opening' ? stage.plan.seal : stage.seal
  return {
    stage: stage.at === 'opening' ? 'open' : 'prove',
    seal: seal.kind,
    ...((stage.at === 'opening' ? stage.plan.role : stage.role) === 'next-root' && rotates),
    ...stage.opening.progress(),
  }
}

/** @throws {SealRefused} unless it is the root key of exactly the domain keys that are in use */
function requireSame(rootKey: KeyObject, running: OpenDeployment, record: DeploymentRecord): void {
  const { domainKeys } = deploymentUnder(rootKey, record)
  const isSame =
    domainKeys.length === running.domainKeys.length && areAmong(domainKeys, running.domainKeys)
  if (!isSame) throw new SealRefused('the record does not seal the root key of the running server')
}
