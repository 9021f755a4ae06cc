/** A decision that a call acts on, until its change commits or its answer leaves. @module */
import { StaleRow } from '../store/store.ts'
import type { ResolvedNames } from '../resolve/resolved.ts'
import { usableKeys } from '../resolve/usable-keys.ts'
import { andThen } from '../model/awaitable.ts'
import type { PipelineDependencies } from './dependencies.ts'
import { StepFailed } from './stage-list.ts'
import type { Decided, Permitted, Read, Standing } from './stages.ts'

/** Milliseconds after which a decision is made again: conditions speak of the time, and sessions end. */
const decisionAgeMsMax = 1000

/** Identifies the caller of a call again, and decides the call again. @throws {StepFailed} */
export type DecideAgain = (read: Read) => Promise<Decided>

export function openStanding(
  permitted: Permitted,
  { store, clock }: Pick<PipelineDependencies, 'store' | 'clock'>,
  decideOnceMore: DecideAgain,
): Standing {
  let decided: Decided = permitted
  const isOld = (): boolean => Math.abs(clock.now() - decided.decidedAt) > decisionAgeMsMax
  const decideAgain = async (): Promise<void> => {
    const { read, attempts } = permitted
    decided = await decideOnceMore({ ...read, attempts: { ...attempts, number: 2, charged: true } })
    const { operation, resolved, scope } = decided
    if (!meansTheSame(permitted.resolved, resolved)) {
      throw new StaleRow(`the names in ${operation.name} mean other things now`)
    }
    const usable = usableKeys(operation, resolved, scope.partition, clock.now())
    if (usable.ok) return
    const { error, refusing } = usable
    throw new StepFailed({ ...decided, ...(refusing && { refusing }) }, error)
  }
  return {
    renew: async () => (isOld() ? decideAgain() : undefined),
    // The epoch does not count: changes that commit together with this one have not raised it yet.
    holds: (transaction) =>
      decided.facts.hold({ changesSince: (seq) => transaction.changesSince(seq) }, 'allowed'),
    decideAgain,
    confirm() {
      if (isOld()) return decideAgain()
      return andThen(decided.facts.hold(store, 'allowed'), (holds) =>
        holds ? undefined : decideAgain(),
      )
    },
  }
}

/** Names can come to mean other keys and identities. A write finds by itself what else changed of these. */
function meansTheSame(one: ResolvedNames, other: ResolvedNames): boolean {
  return JSON.stringify(idsOf(one)) === JSON.stringify(idsOf(other))
}

function idsOf({ keys, alias, grant, identities, assumed }: ResolvedNames): unknown {
  const { user, role, group } = identities.records
  return [
    [...keys].map(([name, { known }]) => {
      const { accountId, region, keyId } = known?.record ?? {}
      return [name, accountId, region, keyId]
    }),
    alias?.record?.targetKeyId,
    grant?.grantId,
    [user?.userId, role?.roleId, group?.groupId, assumed?.known?.record.roleId],
  ]
}
