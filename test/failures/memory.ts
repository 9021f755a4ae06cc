/** What the callers remember: the history, the ciphertexts, and each answer by its request id. @module */
import { appendFileSync } from 'node:fs'
import type { Answer, Login } from './calls.ts'
import { toLine, type Entry } from './history.ts'

/** A key with what its callers know of it. */
export interface Subject {
  readonly keyId: string
  /** The beginning of its description. No other key has it. */
  readonly marker: string
  readonly grants: { readonly name: string; readonly grantId: string }[]
  /** Entries that name it. */
  entries: number
  /** Changes of unknown outcome. Too many make its history hard to explain. */
  unknown: number
}

export interface Sealed {
  readonly keyId: string
  readonly ciphertext: Uint8Array
  readonly plaintext: Uint8Array
  readonly context: Readonly<Record<string, string>>
}

/** A call with an answer that only a durable record may precede. */
export interface Told {
  readonly requestId: string
  readonly operation: string
  /** Undefined for success. */
  readonly error?: string
}

/** Things of one kind that callers use for a while. */
export interface Pool<T> {
  readonly live: Set<T>
  /** Those of former times too. */
  readonly all: T[]
}

/** An access key of a user of its own. */
export interface Holder {
  readonly userName: string
  readonly login: Login
  uses: number
}

/** A role, with sessions of it. */
export interface Role {
  readonly name: string
  readonly sessions: Login[]
  /** Whether somebody has asked for its deletion. */
  isEnding: boolean
  uses: number
}

const emptyPool = <T>(): Pool<T> => ({ live: new Set(), all: [] })

/** Such refusals are counted together, and have no record of their own. */
const isUnknownCaller = (error: string): boolean =>
  ['UnrecognizedClientException', 'InvalidClientTokenId'].includes(error)

export class Memory {
  readonly entries: Entry[] = []
  readonly told: Told[] = []
  readonly sealed: Sealed[] = []
  /** Keys that are used. */
  live: Subject[] = []
  readonly retired: Subject[] = []
  readonly holders = emptyPool<Holder>()
  readonly roles = emptyPool<Role>()
  /** Markers of keys that were asked for, with the ids of those that were answered. */
  readonly asked = new Map<string, string | undefined>()
  /** Rotations by key: those that were answered, and those of unknown outcome. */
  readonly rotations = new Map<string, { done: number; unknown: number }>()
  /** What must never be, in plain words. */
  readonly findings: string[] = []
  /** How often each kind of answer came. */
  readonly answers = new Map<string, number>()
  readonly #file: string | undefined

  /** @param file takes the history as JSON lines */
  constructor(file?: string) {
    this.#file = file
  }

  note(entry: Entry): void {
    this.entries.push(entry)
    if (this.#file !== undefined) appendFileSync(this.#file, toLine(entry))
  }

  find(finding: string): void {
    this.findings.push(finding)
  }

  tell(operation: string, answer: Answer): void {
    const name = answer.kind === 'ok' ? 'ok' : `${answer.kind} ${answer.error}`
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1)
    if (answer.kind === 'ok') this.told.push({ requestId: answer.requestId, operation })
    if (answer.kind === 'refused' && !isUnknownCaller(answer.error)) {
      this.told.push({ requestId: answer.requestId, operation, error: answer.error })
    }
  }
}
