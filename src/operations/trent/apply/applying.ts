/** The context for applying a document in one transaction, and comparisons of policies. @module */
import { isDeepStrictEqual } from 'node:util'
import type { Transaction } from '../../../store/store.ts'
import type { PreparedKeys } from './key-materials.ts'
import type { Call } from '../../contract/call.ts'
import type { OperationDependencies, PrincipalChecks } from '../../contract/dependencies.ts'

/** A change that was made, or that a dry run would make. */
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
  /** The ARN; for an access key its id, for a grant the key's ARN and the grant's name. */
  readonly name: string
  /** The changed members of an update. */
  readonly members?: readonly string[]
}

export interface Applying {
  readonly transaction: Transaction
  readonly dependencies: OperationDependencies
  /** Checks of principals within the transaction, which sees those that it created. */
  readonly checks: PrincipalChecks
  readonly partition: string
  /** The Region of keys without a `region`. */
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Delete whatever an account has and the document omits. */
  readonly prune: boolean
  readonly prepared: PreparedKeys
  readonly note: (change: AppliedChange) => void
  readonly origin: Call<unknown, never>['origin']
  readonly alsoRecords: Call<unknown, never>['alsoRecords']
}

/** The part of a call that IAM's functions need, for an account of the document. */
export function iamCallFor(
  { partition }: Applying,
  accountId: string,
): { readonly partition: string; readonly caller: { readonly accountId: string } } {
  return { partition, caller: { accountId } }
}

/** Returns the text of a policy that the document holds as a string or as an object. */
export function documentText(given: unknown): string {
  return typeof given === 'string' ? given : JSON.stringify(given)
}

/** Whether two policies are equal apart from white space and the order of members. */
export function sameDocument(one: string, other: string): boolean {
  return one === other || isDeepStrictEqual(parsed(one), parsed(other))
}

/** Text that is not JSON stands for itself; the policy check refuses it. */
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
