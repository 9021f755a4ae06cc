/**
 * Models of what Trent keeps: the state of a register, what an operation does to it, and which outcome it must have.
 * @module
 */
import type { Entry } from './history.ts'

export interface Register {
  readonly initial: string
  /**
   * The state after the entry; undefined if the entry's outcome cannot come from this state. An entry of unknown
   * outcome gives what it makes if it happens.
   */
  readonly apply: (state: string, entry: Entry) => string | undefined
  /** Whether the entry, as it ended, leaves every state as it is. */
  readonly isRead: (entry: Entry) => boolean
}

/** What is not there. */
export const absent = '(absent)'

/** A value that is written whole and read whole, or is absent. */
export const valueRegister: Register = {
  initial: absent,
  apply(state, { does, value = absent, outcome }) {
    if (does === 'read') return value === state ? state : undefined
    // A write that is refused says nothing of the value.
    if (does === 'write') return outcome === 'refused' ? state : value
    throw new Error(`no operation of a value: ${does}`)
  },
  isRead: ({ does, outcome }) => does === 'read' || outcome === 'refused',
}

/** Something that one operation makes, one removes, and one sets: an alias, or a grant. */
export const thingRegister: Register = {
  initial: absent,
  apply(state, { does, value = absent, outcome }) {
    const isThere = state !== absent
    const allowed =
      outcome === 'unknown' ||
      isThere === (does === 'create' ? outcome === 'refused' : outcome === 'ok')
    switch (does) {
      case 'read':
        return value === state ? state : undefined
      case 'create':
        if (!allowed) return undefined
        return isThere ? state : value
      case 'update':
        if (!allowed) return undefined
        return isThere ? value : state
      case 'delete':
        if (!allowed) return undefined
        return absent
      default:
        throw new Error(`no operation of a thing: ${does}`)
    }
  },
  isRead: ({ does, outcome }) => does === 'read' || outcome === 'refused',
}

/** An access key. A call that is signed with it shows only whether it is active. */
export const accessKeyRegister: Register = {
  initial: absent,
  apply(state, { does, value, outcome }) {
    if (does === 'read') {
      const isSeen = value === 'not active' ? state !== 'Active' : value === state
      return isSeen ? state : undefined
    }
    if (does === 'create') return state === absent ? 'Active' : undefined
    const isThere = state !== absent
    if (outcome !== 'unknown' && isThere !== (outcome === 'ok')) return undefined
    if (!isThere) return state
    return does === 'delete' ? absent : value
  },
  isRead: ({ does, outcome }) => does === 'read' || outcome === 'refused',
}

const moves: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  enable: { Enabled: 'Enabled', Disabled: 'Enabled' },
  disable: { Enabled: 'Disabled', Disabled: 'Disabled' },
  schedule: { Enabled: 'PendingDeletion', Disabled: 'PendingDeletion' },
  cancel: { PendingDeletion: 'Disabled' },
}

/** The state of a key. */
export const stateRegister: Register = {
  initial: 'Enabled',
  apply(state, { does, value, outcome }) {
    if (does === 'read') return value === state ? state : undefined
    const move = moves[does]
    if (move === undefined) throw new Error(`no operation of a key's state: ${does}`)
    const next = move[state]
    if (outcome === 'unknown') return next ?? state
    if (outcome === 'ok') return next
    return next === undefined ? state : undefined
  },
  isRead: ({ does, outcome }) => does === 'read' || outcome === 'refused',
}

/** The model of a register, by the last word of its name. */
export function modelOf(register: string): Register {
  const kind = register.slice(register.lastIndexOf(' ') + 1)
  switch (kind) {
    case 'state':
      return stateRegister
    case 'grant':
    case 'alias':
    case 'role':
      return thingRegister
    case 'accesskey':
      return accessKeyRegister
    default:
      return valueRegister
  }
}
