/** The records of what people did to the root key before anything could be recorded. @module */
import type { Journal } from '../audit/journal/journal.ts'
import { serviceRecord } from '../audit/records/service-record.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { Store } from '../store/store.ts'
import type { Unsealed } from './unseal-parts.ts'

export type PeopleOfStart = Pick<Unsealed, 'by' | 'initializedBy'>

/** Who made the root key, who opened it with which shares, and how many attempts were refused. */
export async function recordPeople(
  { by, initializedBy }: PeopleOfStart,
  accountId: string,
  parts: {
    readonly store: Pick<Store, 'change'>
    readonly clock: Clock
    readonly random: Random
    readonly journal: Pick<Journal, 'position'>
    readonly region: string
  },
): Promise<void> {
  const { store, clock, random, journal, region } = parts
  const record = async (eventName: string, details: object): Promise<void> => {
    const eventId = random.uuid()
    const told = { eventId, time: clock.now(), eventName, accountId, region }
    const text = serviceRecord({ ...told, details: { ...details } })
    await store.change((transaction) =>
      transaction.insertOutbox({ eventId, record: text, ...journal.position }),
    )
  }
  if (initializedBy !== undefined) await record('InitializeRootKey', { operator: initializedBy })
  if (by !== undefined) await record('UnsealRootKey', by)
}
