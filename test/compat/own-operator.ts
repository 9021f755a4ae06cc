/** Operators that tests are: users of the system, and the user who logged in. @module */
import { readFileSync } from 'node:fs'
import { shownOperator, type Operator } from '../../src/model/operator.ts'
import { operatorOf } from '../../src/operator/operators.ts'

const unset = 0xffff_ffff

function ownLogin(): { readonly loginUid?: number } {
  try {
    const loginUid = Number(readFileSync('/proc/self/loginuid', 'latin1'))
    return loginUid < unset ? { loginUid } : {}
  } catch {
    return {}
  }
}

/** @param uid of a process that the test starts; its own by default */
export function operatorAs(uid = process.geteuid?.() ?? 0): Operator {
  const operator = operatorOf({ peer: { uid, ...ownLogin() } })
  if (operator === undefined) throw new Error('a user is an operator')
  return operator
}

/** As in `givers`. */
export function shownAs(uid?: number): string {
  return shownOperator(operatorAs(uid))
}
