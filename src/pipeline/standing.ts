/** A decision that a call acts on, until its change commits or its answer leaves. @module */
import { StaleRow, type Transaction } from '../store/store.ts'
import type { ResolvedNames } from '../resolve/resolved.ts'
import { usableKeys } from '../resolve/usable-keys.ts'
import { decide } from './decide.ts'
import type { PipelinePorts } from './dependencies.ts'
import { StepFailed, type Decided, type Permitted } from './stages.ts'

/** Milliseconds after which a decision is made again: conditions speak of the time, and sessions end. */
const decisionAgeMsMax = 1000

export interface Standing {
  /** Decides again if the decision has grown old. Called before the transaction begins. */
  renew(): Promise<void>
  /** Whether the decision holds, as the transaction sees the facts. */
  holds(transaction: Pick<Transaction, 'changesSince'>): boolean | Promise<boolean>
  /** @throws {StepFailed} with the refusal @throws {StaleRow} when the names mean other things now */
  decideAgain(): Promise<void>
  /** Decides again, if that is needed, for a call that has changed nothing: before its answer leaves. */
  confirm(): Promise<void>
}

export function openStanding(permitted: Permitted, ports: PipelinePorts): Standing {
  const { store, clock } = ports
  let decided: Decided = permitted
  const isOld = (): boolean => Math.abs(clock.now() - decided.decidedAt) > decisionAgeMsMax
  const decideAgain = async (): Promise<void> => {
    decided = await decide(permitted, { identifyAgain: true, charge: false }, ports)
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
    holds: (transaction) =>
      decided.facts.hold({
        epoch: () => store.epoch(),
        changesSince: (seq) => transaction.changesSince(seq),
      }),
    decideAgain,
    async confirm() {
      if (isOld() || !(await decided.facts.hold(store))) await decideAgain()
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
