/**
 * Changes that no caller asked for: what the clock does to keys. Each commits with the records of the
 * service's events in it, so that there is one if and only if there is the other, and with what the webhook
 * is told of them.
 * @module
 */
import type { FinishedRecord } from '../audit/records/call-records.ts'
import type { Journal } from '../audit/journal/journal.ts'
import type { Outbox } from '../audit/outbox.ts'
import { keyServiceRecord } from '../audit/records/service-record.ts'
import { serviceKeyEvent } from '../events/key-event.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { OutgoingEvent } from '../model/outgoing-event.ts'
import type { RegionTable } from '../model/region.ts'
import type { ServiceEvent } from '../model/service-event.ts'
import type { Store, Transaction } from '../store/store.ts'

export interface ServiceChanges {
  /**
   * Runs `work`, perhaps more than once, in one transaction with the records of the events that it
   * answers, and resolves when those are durable.
   * @throws {StaleRow} what it was decided on has changed: whoever changed it goes first
   */
  commit(work: (transaction: Transaction) => Promise<readonly ServiceEvent[]>): Promise<void>
}

export interface ServiceChangePorts {
  readonly store: Pick<Store, 'change'>
  readonly journal: Pick<Journal, 'healthy' | 'position'>
  readonly outbox: Pick<Outbox, 'settle'>
  readonly regions: RegionTable
  /** Whether a webhook is told. */
  readonly events: { readonly areTold: boolean }
  readonly clock: Clock
  readonly random: Random
}

interface Made {
  readonly eventId: string
  readonly record: string
  readonly told: OutgoingEvent | undefined
}

export function createServiceChanges(ports: ServiceChangePorts): ServiceChanges {
  const { store, journal, outbox, regions, events, clock, random } = ports
  const madeOf = (event: ServiceEvent): Made => {
    const eventId = random.uuid()
    const partition = regions.partitionOf(event.key.region) ?? 'aws'
    const time = clock.now()
    const record = keyServiceRecord(event, { eventId, time, partition })
    if (!events.areTold) return { eventId, record, told: undefined }
    const told = serviceKeyEvent(event, { eventId: random.uuid(), time, partition })
    return { eventId, record, told }
  }
  return {
    async commit(work) {
      // A change whose record could not follow it must not begin.
      if (!journal.healthy) throw new Error('the audit journal has no healthy segment')
      const records = await store.change(async (transaction) => {
        const made = (await work(transaction)).map(madeOf)
        const finished: FinishedRecord[] = []
        for (const { told, ...row } of made) {
          const record = await transaction.insertOutbox({ ...row, ...journal.position })
          finished.push({ eventId: row.eventId, record })
          if (told !== undefined) await transaction.insertOutgoingEvent(told)
        }
        return finished
      })
      await Promise.all(records.map(({ eventId, record }) => outbox.settle(eventId, record)))
    },
  }
}
