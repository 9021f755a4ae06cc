/** Judges what callers remember: histories, keys, grants, ciphertexts and records. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { changeIdOf, changeNumberOf } from '../../src/model/change-number.ts'
import { readAccessKeys } from './acts-of-access-keys.ts'
import * as access from './acts-of-access.ts'
import { cancel, describe, enable, listTags, opens, readRotation } from './acts-of-keys.ts'
import { readRoles } from './acts-of-roles.ts'
import type { Answer, Deployment } from './calls.ts'
import { Caller, type Timed } from './caller.ts'
import { explain } from './linearizable.ts'
import type { Memory, Sealed, Subject } from './memory.ts'
import { modelOf } from './registers.ts'

export interface JudgedHistories {
  readonly registers: number
  readonly undecided: readonly string[]
}

/** Every history must have an explanation in which nothing is older than the bound. */
export function judgeHistories(memory: Memory, boundMs: number): JudgedHistories {
  const undecided: string[] = []
  const histories = Map.groupBy(memory.entries, ({ register }) => register)
  for (const [register, entries] of histories) {
    const verdict = explain(entries, modelOf(register), boundMs)
    if (verdict.verdict === 'undecided') undecided.push(register)
    if (verdict.verdict !== 'impossible') continue
    const { at, states } = verdict
    memory.find(
      `no order explains ${register}: at ${at.end.toFixed(0)} ms, ${at.does} ` +
        `${at.value ?? ''} was ${at.outcome} on node ${at.node}, but it was ${states.join(' or ')}`,
    )
  }
  return { registers: histories.size, undecided }
}

/** Reads everything once more, on each node, while there are no faults. */
export async function readAgain(caller: Caller, boundMs: number): Promise<void> {
  const { memory, deployment } = caller
  const subjects = [...memory.retired, ...memory.live]
  memory.live = subjects
  const nodes = Array.from({ length: deployment.nodes }, (_, node) => onNode(caller, node))
  await Promise.all(nodes.map((each) => readAll(each, subjects)))
  // A deleted key would have no way to open what it sealed.
  for (const subject of subjects) await enabled(caller, subject)
  await sleep(boundMs)
  await openAll(caller, memory.sealed)
  await judgeKeys(caller)
  for (let node = 0; node < deployment.nodes; node += 1) {
    const { answer } = await answered(caller, 'ListKeys', {}, node)
    if (answer.kind !== 'ok')
      memory.find(`node ${node} does not answer after the faults: ${answer.error}`)
  }
}

/** A caller that only calls this node. */
function onNode({ deployment, memory, random }: Caller, node: number): Caller {
  const only: Deployment = {
    nodes: deployment.nodes,
    accountId: deployment.accountId,
    isUp: (each) => each === node,
    call: (...asked) => deployment.call(...asked),
  }
  return new Caller(only, memory, random)
}

async function readAll(caller: Caller, subjects: readonly Subject[]): Promise<void> {
  for (const subject of subjects) {
    for (const act of [describe, listTags, readRotation]) await act(caller, subject)
    for (const act of [access.getPolicy, access.listGrants]) await act(caller, subject)
    for (const act of [access.useByPolicy, access.useByGrant, access.useByIam]) {
      await act(caller, subject)
    }
  }
  await access.readAliases(caller)
  await readAccessKeys(caller)
  await readRoles(caller)
}

/** Even without faults a call may fail: the cluster has just changed its primary. */
const triesMax = 20

/** Calls until there is an answer. */
async function answered(
  caller: Caller,
  operation: string,
  input: object,
  node?: number,
): Promise<Timed> {
  for (let tries = 1; ; tries += 1) {
    const timed = await caller.call(operation, input, node === undefined ? {} : { node })
    if (!isUnanswered(timed.answer) || tries === triesMax) return timed
    await sleep(500)
  }
}

/** Makes a key usable, whatever its state is. */
async function enabled(caller: Caller, subject: Subject): Promise<void> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const { answer } = await caller.call('DescribeKey', { KeyId: subject.keyId })
    if (answer.kind === 'ok') {
      const { KeyMetadata } = answer.output as { KeyMetadata: { KeyState: string } }
      if (KeyMetadata.KeyState === 'Enabled') return
      if (KeyMetadata.KeyState === 'PendingDeletion') await cancel(caller, subject)
      await enable(caller, subject)
    }
    // A node may be as stale as the bound allows.
    await sleep(100)
  }
}

async function openAll(caller: Caller, sealed: readonly Sealed[]): Promise<void> {
  const left = [...sealed]
  const one = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      let { answer } = await opens(caller, next)
      for (let tries = 0; isUnanswered(answer) && tries < triesMax; tries += 1) {
        await sleep(500)
        answer = (await opens(caller, next)).answer
      }
      if (answer.kind !== 'ok') {
        caller.memory.find(`a ciphertext of ${next.keyId} was not opened: ${answer.error}`)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, one))
}

const isUnanswered = ({ kind }: Answer): boolean => kind === 'unavailable' || kind === 'unknown'

/** Each key that was answered exists, and none exists twice. Each rotation happened, and none twice. */
async function judgeKeys(caller: Caller): Promise<void> {
  const { memory } = caller
  const found = new Map<string, string[]>()
  for (const keyId of await allKeys(caller)) {
    const { answer } = await answered(caller, 'DescribeKey', { KeyId: keyId })
    if (answer.kind !== 'ok') continue
    const { KeyMetadata } = answer.output as { KeyMetadata: { Description?: string } }
    const [marker = ''] = (KeyMetadata.Description ?? '').split(' ')
    if (marker !== '') found.set(marker, [...(found.get(marker) ?? []), keyId])
  }
  for (const [marker, keyId] of memory.asked) {
    const ids = found.get(marker) ?? []
    if (ids.length > 1) memory.find(`one CreateKey made ${ids.length} keys: ${ids.join(', ')}`)
    if (keyId !== undefined && !ids.includes(keyId)) memory.find(`the key ${keyId} is lost`)
  }
  for (const [keyId, { done, unknown }] of memory.rotations) {
    const { answer } = await answered(caller, 'ListKeyRotations', { KeyId: keyId })
    if (answer.kind !== 'ok') continue
    const { Rotations = [] } = answer.output as { Rotations?: readonly unknown[] }
    // One that is asked for while another goes on is the same.
    if (Rotations.length > done + unknown) memory.find(`${keyId} was rotated too often`)
    if (done > 0 && Rotations.length === 0) memory.find(`a rotation of ${keyId} is lost`)
  }
}

async function allKeys(caller: Caller): Promise<readonly string[]> {
  const keys: string[] = []
  let Marker: string | undefined
  do {
    const { answer } = await answered(caller, 'ListKeys', { Limit: 1000, Marker })
    if (answer.kind !== 'ok') throw new Error(`ListKeys: ${answer.error}`)
    const { Keys = [], NextMarker } = answer.output as {
      Keys?: readonly { KeyId: string }[]
      NextMarker?: string
    }
    keys.push(...Keys.map(({ KeyId }) => KeyId))
    Marker = NextMarker
  } while (Marker !== undefined)
  return keys
}

interface AuditRecord {
  readonly eventName: string
  readonly requestID?: string
  readonly eventID: string
  readonly errorCode?: string
  readonly userIdentity?: { readonly invokedBy?: string }
}

/** Changes that the database has lost. */
export interface LostChanges {
  /** The number of the last change that it has kept. */
  readonly kept: number
  /** Those that the journals had records of, by their ids. */
  readonly ids: ReadonlyMap<string, number>
}

/**
 * Each answer has one record, and each change has one number, from 1 on without gaps. Numbers of lost changes may
 * belong to others too, or to nothing that has a record; their records stay.
 */
export async function judgeRecords(
  memory: Memory,
  journals: readonly string[],
  { kept, ids }: LostChanges = { kept: Infinity, ids: new Map() },
): Promise<number> {
  const missing = new Set(ids.keys())
  let accepted = kept
  const byRequest = new Map<string, AuditRecord[]>()
  const events = new Set<string>()
  const changes = new Map<number, string>()
  let records = 0
  for (const journal of journals) {
    await readRecords(journal, (text) => {
      const record = JSON.parse(text) as AuditRecord
      records += 1
      if (events.has(record.eventID)) memory.find(`the event ${record.eventID} has two records`)
      events.add(record.eventID)
      if (record.requestID !== undefined) {
        const known = byRequest.get(record.requestID)
        if (known === undefined) byRequest.set(record.requestID, [record])
        else known.push(record)
      }
      const change = changeNumberOf(record)
      if (change === undefined) return
      const id = changeIdOf(record) ?? ''
      if (record.eventName === 'AcceptDataLoss') accepted = Math.max(accepted, change)
      missing.delete(id)
      if (ids.get(id) === change) return
      if (changes.has(change)) memory.find(`the change ${change} has two records`)
      changes.set(change, id)
    })
  }
  const last = Math.max(0, ...changes.keys())
  for (let change = 1; change <= last; change += 1) {
    const mayBeLost = change > kept && change < accepted
    if (!changes.has(change) && !mayBeLost) memory.find(`the change ${change} has no record`)
  }
  for (const id of missing) memory.find(`the lost change ${ids.get(id)} has no record any more`)
  for (const { requestId, operation, error } of memory.told) {
    const told = byRequest.get(requestId) ?? []
    const [record] = told
    if (told.length !== 1 || record === undefined) {
      memory.find(`${operation} ${requestId} was answered and has ${told.length} records`)
    } else if (record.eventName !== operation || !isSameError(record.errorCode, error)) {
      memory.find(
        `${operation} ${requestId} answered ${error ?? 'ok'}, but the record says ` +
          `${record.eventName} ${record.errorCode ?? 'ok'}`,
      )
    }
  }
  return records
}

/** Records call a refusal of access `AccessDenied`. */
const isSameError = (recorded: string | undefined, told: string | undefined): boolean =>
  recorded?.replace(/Exception$/, '') === told?.replace(/Exception$/, '')
