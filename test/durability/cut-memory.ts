/**
 * What a restored server must show: the memory of the callers of the lost one, cut at the position of the backup.
 * What they changed up to there is kept. Of what they changed later, only what took something away counts, and
 * only if the log has it.
 * @module
 */
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { changeNumberOf } from '../../src/model/change-number.ts'
import type { Entry } from '../failures/history.ts'
import { Memory } from '../failures/memory.ts'
import { absent, modelOf } from '../failures/registers.ts'

export interface Log {
  /** The number of the change that a request made, by the request's id. */
  readonly changes: ReadonlyMap<string, number>
  /** The number of the change that made a key, by the key's id. */
  readonly made: ReadonlyMap<string, number>
  /** The number of the last change that rotated a key, by the key's id. */
  readonly rotated: ReadonlyMap<string, number>
}

interface AuditRecord {
  readonly eventName: string
  readonly requestID?: string
  readonly resources?: readonly { readonly ARN: string }[]
}

export async function readLog(journal: string): Promise<Log> {
  const changes = new Map<string, number>()
  const made = new Map<string, number>()
  const rotated = new Map<string, number>()
  await readRecords(journal, (text) => {
    const record = JSON.parse(text) as AuditRecord
    const change = changeNumberOf(record)
    if (change === undefined) return
    const { eventName, requestID, resources } = record
    if (requestID !== undefined) changes.set(requestID, change)
    const keyId = resources?.[0]?.ARN.split(':key/')[1] ?? ''
    if (eventName === 'CreateKey') made.set(keyId, change)
    if (eventName.startsWith('RotateKey')) {
      rotated.set(keyId, Math.max(change, rotated.get(keyId) ?? 0))
    }
  })
  return { changes, made, rotated }
}

export interface Position {
  /** The number of the last change in the backup. */
  readonly change: number
  /** How many ciphertexts had been answered before the backup began. */
  readonly sealed: number
}

export interface Cut {
  readonly memory: Memory
  /** How often the log took something away that is in the backup, by what it is. */
  readonly removals: ReadonlyMap<string, number>
}

export function cutMemory(whole: Memory, log: Log, position: Position): Cut {
  const memory = new Memory()
  const removals = new Map<string, number>()
  const isThere = (keyId: string): boolean => (log.made.get(keyId) ?? Infinity) <= position.change
  for (const [register, entries] of Map.groupBy(whole.entries, (each) => each.register)) {
    const [of, keyId = ''] = register.split(' ')
    if (of === 'key' && !isThere(keyId)) continue
    const { atBackup, restored } = valuesOf(register, entries, log, position)
    const kind = register.slice(register.lastIndexOf(' ') + 1)
    if (atBackup !== restored) {
      const what = kind === 'state' ? restored : kind
      removals.set(what, (removals.get(what) ?? 0) + 1)
    }
    for (const entry of madeFrom(register, [atBackup, restored])) memory.note(entry)
    // The server died before it answered: the change may be in the backup, in the log, or nowhere.
    for (const entry of entries) if (entry.outcome === 'unknown') memory.note(entry)
  }
  memory.live = [...whole.live, ...whole.retired]
    .filter(({ keyId }) => isThere(keyId))
    .map((subject) => ({ ...subject, entries: 0, unknown: 0 }))
  const known = new Set(memory.entries.map(({ register }) => register))
  memory.holders.all.push(
    ...whole.holders.all.filter(({ login }) =>
      known.has(`accesskey ${login.accessKeyId} accesskey`),
    ),
  )
  for (const role of whole.roles.all) {
    if (!known.has(`role ${role.name} role`)) continue
    memory.roles.all.push({ ...role, sessions: [...role.sessions] })
  }
  for (const [marker, keyId] of whole.asked) {
    if (keyId === undefined || isThere(keyId)) memory.asked.set(marker, keyId)
  }
  for (const [keyId, { done, unknown }] of whole.rotations) {
    if (isThere(keyId)) memory.rotations.set(keyId, { done: 0, unknown: done + unknown })
  }
  // The material of a rotation after the backup is lost, and so are the ciphertexts of it.
  const isLost = (keyId: string): boolean => (log.rotated.get(keyId) ?? 0) > position.change
  for (const [index, sealed] of whole.sealed.entries()) {
    const { keyId } = sealed
    if (isThere(keyId) && (index < position.sealed || !isLost(keyId))) memory.sealed.push(sealed)
  }
  return { memory, removals }
}

/** Registers whose removal the log repeats. It names other changes, and does not hold them. */
const repeated: ReadonlySet<string> = new Set([
  'grant',
  'alias',
  'iam',
  'material',
  'accesskey',
  'role',
  'right',
])

/** Numbers of changes are their order, so each register has the value that its last change made. */
function valuesOf(
  register: string,
  entries: readonly Entry[],
  { changes }: Log,
  position: Position,
): { readonly atBackup: string; readonly restored: string } {
  const numbered = entries
    .filter(({ does, outcome }) => does !== 'read' && outcome === 'ok')
    // A call that found things as it wanted them has changed nothing, and has no number.
    .flatMap((entry) => {
      const change = changes.get(entry.requestId ?? '')
      return change === undefined ? [] : [{ change, made: madeBy(entry) }]
    })
    .toSorted((one, other) => one.change - other.change)
  const before = numbered.findLast(({ change }) => change <= position.change)
  const since = numbered.filter(({ change }) => change > position.change)
  const atBackup = before?.made ?? modelOf(register).initial
  const last = since.at(-1)?.made
  if (last === undefined) return { atBackup, restored: atBackup }
  const kind = register.slice(register.lastIndexOf(' ') + 1)
  if (kind === 'state') return { atBackup, restored: restoredState(atBackup, last) }
  if (kind === 'accesskey' && last === 'Inactive' && atBackup !== absent) {
    return { atBackup, restored: last }
  }
  const isGone = repeated.has(kind) && since.some(({ made }) => made === absent)
  return { atBackup, restored: isGone ? absent : atBackup }
}

/** A key whose deletion was cancelled is kept, disabled. That a key was enabled is lost, unless it only undid. */
function restoredState(atBackup: string, last: string): string {
  if (last !== 'Enabled') return last
  return atBackup === 'PendingDeletion' ? 'Disabled' : atBackup
}

const states: Readonly<Record<string, string>> = {
  enable: 'Enabled',
  disable: 'Disabled',
  schedule: 'PendingDeletion',
  cancel: 'Disabled',
}

function madeBy({ register, does, value = absent }: Entry): string {
  if (register.startsWith('accesskey ') && does === 'create') return 'Active'
  return states[does] ?? (does === 'delete' ? absent : value)
}

/** A history, before all others, that makes the register have these values one after the other. */
function madeFrom(register: string, values: readonly [string, string]): readonly Entry[] {
  const { initial } = modelOf(register)
  const kind = register.slice(register.lastIndexOf(' ') + 1)
  const made: Entry[] = []
  let now = initial
  // The states of a key do not follow each other in each order: the last one is enough.
  for (const [at, value] of (kind === 'state' ? values.slice(1) : values).entries()) {
    if (value === now) continue
    const when = { register, outcome: 'ok', begin: at, end: at } as const
    if (kind === 'accesskey') {
      if (now === initial) made.push({ ...when, does: 'create' })
      if (value === absent) made.push({ ...when, does: 'delete' })
      else made.push({ ...when, does: 'set', value })
    } else if (kind === 'state') {
      made.push({ ...when, does: value === 'Disabled' ? 'disable' : 'schedule' })
    } else if (kind === 'grant' || kind === 'alias' || kind === 'role') {
      made.push({ ...when, does: value === absent ? 'delete' : 'create', value })
    } else made.push({ ...when, does: 'write', value })
    now = value
  }
  return made
}
