/** Who an operator is: a user of the system, by number and by name. @module */
import type { Caller } from './caller.ts'

export interface Operator {
  /** `operator/1000`; `server` for the server itself at its start. */
  readonly id: string
  /** `alice`, or the number of a user whose name is not known. */
  readonly name: string
  /** The user who logged in, if that is another one: the operator uses `su` or `sudo`. */
  readonly loginName?: string
}

/** For people: `alice (uid 1000)`, or `root (uid 0), logged in as alice`. */
export function shownOperator({ id, name, loginName }: Operator): string {
  const user = id.startsWith('operator/') ? `${name} (uid ${id.slice('operator/'.length)})` : name
  return loginName === undefined ? user : `${user}, logged in as ${loginName}`
}

/** The operator behind a call through the operator door. */
export function shownCaller({ uniqueId: id, userName, loginName }: Caller): string {
  const login = loginName === undefined ? {} : { loginName }
  return shownOperator({ id, name: userName ?? id, ...login })
}
