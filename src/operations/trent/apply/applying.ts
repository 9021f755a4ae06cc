/**
 * One application of a document, in one transaction: what its parts work with and what they say.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Transaction } from '../../../store/store.ts'
import type { PreparedKeys } from './key-materials.ts'
import type { Call } from '../../contract/call.ts'
import type { OperationDependencies, PrincipalChecks } from '../../contract/dependencies.ts'

/** What was changed, or would be. */
export interface AppliedChange {
  readonly change: 'create' | 'update' | 'delete' | 'scheduleDeletion'
  readonly type:
    | 'account'
    | 'access key'
    | 'managed policy'
    | 'group'
    | 'user'
    | 'role'
    | 'OIDC provider'
    | 'key'
    | 'alias'
    | 'grant'
  /** Its ARN; of an access key its id, of a grant its key's ARN and its name. */
  readonly name: string
  /** Of an update: the members that are other than they were. */
  readonly members?: readonly string[]
}

export interface Applying {
  readonly transaction: Transaction
  readonly dependencies: OperationDependencies
  /** Principals as the transaction sees them: those that it has made are there. */
  readonly checks: PrincipalChecks
  readonly partition: string
  /** Of keys that name none. */
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** What an account has and the document does not name goes. */
  readonly prune: boolean
  readonly prepared: PreparedKeys
  readonly note: (change: AppliedChange) => void
  readonly origin: Call<unknown, never>['origin']
  readonly alsoRecords: Call<unknown, never>['alsoRecords']
}

/** What operations of IAM ask of their call, for an account of the document. */
export function askingFor(
  { partition }: Applying,
  accountId: string,
): { readonly partition: string; readonly caller: { readonly accountId: string } } {
  return { partition, caller: { accountId } }
}

/** A policy that is given as a text, or as what that text says. */
export function documentText(given: unknown): string {
  return typeof given === 'string' ? given : JSON.stringify(given)
}

/** Whether two policies say the same: white space and the order of members say nothing. */
export function sameDocument(one: string, other: string): boolean {
  return one === other || isDeepStrictEqual(parsed(one), parsed(other))
}

/** What cannot be read is itself: its refusal is somebody else's. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function sameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return isDeepStrictEqual([...one], [...other])
}

export function sameMap(
  one: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): boolean {
  return isDeepStrictEqual({ ...one }, { ...other })
}
