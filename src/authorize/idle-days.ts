/**
 * The days since a key was last used, for policies that protect keys in use from being disabled or
 * deleted.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 * @module
 */
import type { Awaitable } from '../model/awaitable.ts'
import type { KeyRecord } from '../model/key.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { ContextEntries } from '../operations/contract/call.ts'
import type { KeyUsages } from '../operations/contract/dependencies.ts'
import type { ResolvedKeys } from '../resolve/resolved.ts'

const dayMs = 86_400_000

/**
 * Whole days since the last use. Without a use: since the key was created, or since uses are recorded.
 * A forged or missing row counts as a use just now, so that nobody who writes to the database can make
 * a used key look idle. So does a node that may have used the key and does not answer.
 */
export function idleDays(
  { asksIdleDays }: Pick<Operation, 'asksIdleDays'>,
  { keys }: Pick<ResolvedKeys, 'keys'>,
  usages: KeyUsages,
  now: number,
): Awaitable<ContextEntries | undefined> {
  if (asksIdleDays === undefined) return undefined
  const [key] = [...keys.values()].flatMap(({ known }) => known?.record ?? [])
  return key === undefined ? undefined : idleDaysOf(key, usages, now)
}

async function idleDaysOf(key: KeyRecord, usages: KeyUsages, now: number): Promise<ContextEntries> {
  const unsureUntil = (await usages.settle(key)) ?? 0
  const last = await usages.lastOf(key)
  const known =
    last?.unproved === true ? now : (last?.usedAt ?? Math.max(key.createdAt, usages.since))
  const from = Math.max(known, unsureUntil)
  const days = Math.max(0, Math.floor((now - from) / dayMs))
  return { 'kms:TrailingDaysWithoutKeyUsage': String(days) }
}
