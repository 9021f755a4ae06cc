/** Adds a service's own changes to the transaction of a call. @module */
import type { Operation } from '../operations/contract/operation.ts'
import type { Call } from '../operations/contract/call.ts'
import type { OperationDependencies } from '../operations/contract/dependencies.ts'

/** Returns the call with the changes of its operation's `alsoChanges` added. All of them commit, or none. */
export function withServiceSide(
  operation: Pick<Operation, 'alsoChanges'>,
  call: Call<never, string>,
  dependencies: OperationDependencies,
): Call<never, string> {
  if (operation.alsoChanges === undefined) return call
  return {
    ...call,
    commit: (work) =>
      call.commit(async (transaction) => {
        const output = await work(transaction)
        await operation.alsoChanges?.(call, transaction, dependencies)
        return output
      }),
  }
}
