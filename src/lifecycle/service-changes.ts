/**
 * Changes that no caller asked for: what jobs do to keys, to key stores and to what protects them. Each
 * commits together with the audit records of its service events and the webhook's events, so that either all
 * exist or none.
 * @module
 */
import type { FinishedRecord } from '../audit/records/call-records.ts'
import type { Journal } from '../audit/journal/journal.ts'
import type { Outbox } from '../audit/outbox.ts'
import {
  keyServiceRecord,
  keyStoreServiceRecord,
  serviceRecord,
} from '../audit/records/service-record.ts'
import { serviceKeyEvent } from '../events/key-event.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { OutgoingEvent } from '../model/outgoing-event.ts'
import type { RegionTable } from '../model/region.ts'
import type { KeyStoreServiceEvent, OwnServiceEvent, ServiceEvent } from '../model/service-event.ts'
import type { Store, Transaction } from '../store/store.ts'

export type AnyServiceEvent = ServiceEvent | KeyStoreServiceEvent | OwnServiceEvent

export interface ServiceChanges {
  /**
   * Runs `work`, perhaps more than once, in one transaction with the records of the events that it
   * returns. Resolves when those records are durable.
   * @throws {StaleRow} another transaction has changed what it was decided on, and goes first
   */
  commit(work: (transaction: Transaction) => Promise<readonly AnyServiceEvent[]>): Promise<void>
}

export interface ServiceChangeDependencies {
  readonly store: Pick<Store, 'change'>
  readonly journal: Pick<Journal, 'healthy' | 'position'>
  readonly outbox: Pick<Outbox, 'settle'>
  readonly regions: RegionTable
  /** Whether there is a webhook. */
  readonly events: { readonly isEnabled: boolean }
  readonly clock: Clock
  readonly random: Random
}

interface Made {
  readonly eventId: string
  readonly record: string
  readonly outgoing: OutgoingEvent | undefined
}

export function createServiceChanges(dependencies: ServiceChangeDependencies): ServiceChanges {
  const { store, journal, outbox, regions, events, clock, random } = dependencies
  const madeOf = (event: AnyServiceEvent): Made => {
    const eventId = random.uuid()
    const time = clock.now()
    if ('store' in event) {
      return {
        eventId,
        record: keyStoreServiceRecord(event, { eventId, time }),
        outgoing: undefined,
      }
    }
    if ('accountId' in event) {
      return { eventId, record: serviceRecord({ ...event, eventId, time }), outgoing: undefined }
    }
    const partition = regions.partitionOf(event.key.region) ?? 'aws'
    const record = keyServiceRecord(event, { eventId, time, partition })
    if (!events.isEnabled) return { eventId, record, outgoing: undefined }
    const outgoing = serviceKeyEvent(event, { eventId: random.uuid(), time, partition })
    return { eventId, record, outgoing }
  }
  return {
    async commit(work) {
      // A change must not begin if its record could not follow.
      if (!journal.healthy) throw new Error('the audit journal has no healthy segment')
      const records = await store.change(async (transaction) => {
        const made = (await work(transaction)).map(madeOf)
        const finished: FinishedRecord[] = []
        for (const { outgoing, ...row } of made) {
          const record = await transaction.insertOutbox({ ...row, ...journal.position })
          finished.push({ eventId: row.eventId, record })
          if (outgoing !== undefined) await transaction.insertOutgoingEvent(outgoing)
        }
        return finished
      })
      await Promise.all(records.map(({ eventId, record }) => outbox.settle(eventId, record)))
    },
  }
}
